/** A file that a step writes on a node. */
export interface NodeFile {
  path: string
  content: string
  /** Permissions in octal, where they are not those of the umask: `600`. */
  mode?: string
  /**
   * What happens to a file that is there and that no recipe wrote: it is kept beside ours, or the step stops. Left out for files that
   * belong to the node alone. A file of a recipe names kubelet-images in it, where its format allows that.
   */
  foreign?: 'keep' | 'stop'
}

/** The mark of a file that a recipe wrote. */
export const mark = 'kubelet-images'

/** A word as a POSIX shell takes it: in quotes only where it needs them. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

/** Shell that writes a file with exactly this content, its directory made where it is missing. */
export function fileScript({ path, content, mode, foreign }: NodeFile): string {
  const folder = `mkdir -p ${quote(path.slice(0, path.lastIndexOf('/')))}`
  const write = (target: string) => [
    ...(mode === undefined ? [] : [`install -m ${mode} /dev/null ${target}`]),
    `cat >${target} ${heredoc(content)}`,
  ]
  if (foreign === undefined) return [folder, ...write(quote(path))].join('\n')
  const head = [folder, `file=${quote(path)}`]
  const kept = `"$file.before-${mark}"`
  return foreign === 'keep'
    ? [
        ...head,
        `[ ! -e "$file" ] || grep -q ${mark} "$file" || [ -e ${kept} ] || cp -a "$file" ${kept}`,
        ...write('"$file"'),
      ].join('\n')
    : [
        ...head,
        ...write('"$file.new"'),
        `if [ ! -e "$file" ] || grep -q ${mark} "$file" || cmp -s "$file.new" "$file"; then`,
        '  mv "$file.new" "$file"',
        'else',
        '  echo "$file is not of this recipe: compare it with $file.new, and move one of them in its place" >&2',
        '  false',
        'fi',
      ].join('\n')
}

/** A here-document of the content, with an end that is no line of it. */
function heredoc(content: string): string {
  const text = content.trimEnd()
  const lines = new Set(text.split('\n'))
  let end = 'EOF'
  while (lines.has(end)) end += '_'
  return `<<'${end}'\n${text}\n${end}`
}
