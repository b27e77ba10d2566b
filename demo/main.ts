import "./studio.ts";
