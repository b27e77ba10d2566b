/**
 * Files and folders that were dropped, by their paths: below the folder where it is one that was dropped.
 * Has to be called while the drop is handled: what is dropped is gone afterwards.
 */
export async function droppedFiles({ items, files }: DataTransfer): Promise<Readonly<Record<string, File>>> {
  const entries = [...items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (entries.length === 0) return Object.fromEntries([...files].map((file) => [file.name, file]));
  const found: Record<string, File> = {};
  const [only] = entries;
  if (entries.length === 1 && only?.isDirectory) await addFolder(only as FileSystemDirectoryEntry, "", found);
  else for (const entry of entries) await addEntry(entry, "", found);
  return found;
}

async function addEntry(entry: FileSystemEntry, folder: string, found: Record<string, File>): Promise<void> {
  const path = folder + entry.name;
  if (entry.isDirectory) return addFolder(entry as FileSystemDirectoryEntry, `${path}/`, found);
  found[path] = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
}

async function addFolder(entry: FileSystemDirectoryEntry, folder: string, found: Record<string, File>): Promise<void> {
  const reader = entry.createReader();
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return; // it gives a hundred at a time
    for (const each of some) await addEntry(each, folder, found);
  }
}
