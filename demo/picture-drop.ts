/** Pictures dropped or pasted anywhere on the page go to `onFiles`. */
export function receivePictures(target: HTMLElement, onFiles: (files: readonly File[]) => void): void {
  document.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    target.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) target.classList.remove("dropping");
  });
  document.addEventListener("drop", (event) => {
    target.classList.remove("dropping");
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    onFiles(files);
  });
  document.addEventListener("paste", (event) => {
    const { clipboardData } = event;
    const files = [...(clipboardData?.files ?? [])];
    // office programs put a picture of copied text beside it: then the text is meant
    if (files.length === 0 || clipboardData?.types.includes("text/plain")) return;
    event.preventDefault();
    onFiles(files);
  });
}
