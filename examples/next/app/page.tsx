import { Studio } from "./studio";

export default function Page() {
  return (
    <>
      <h1>Kleinbild with Next</h1>
      <Studio />
    </>
  );
}
