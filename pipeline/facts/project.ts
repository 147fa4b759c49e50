/** A file or folder of this checkout, by its path in it; a folder's ends in a slash. */
export function projectFile(path: string): URL {
  return new URL(`../../${path}`, import.meta.url)
}
