/** The flag of a value by the name that it has in code: `--alpine-mirror` of `alpineMirror`. */
export function flagOf(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}
