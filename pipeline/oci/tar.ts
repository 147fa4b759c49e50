import { createReadStream, createWriteStream } from 'node:fs'
import { rename, stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import tar from 'tar-stream'

/** A file of an archive: its content, or a file that has it. */
export type TarEntry = { name: string } & ({ content: string | Buffer } | { file: string })

/** Writes files as a tar archive, in the order given: beside the target first, then renamed over it. */
export async function writeTar(target: string, entries: Iterable<TarEntry>): Promise<void> {
  const partial = `${target}.partial`
  const pack = tar.pack()
  const written = pipeline(pack, createWriteStream(partial))
  const fill = async () => {
    for (const entry of entries) await add(pack, entry)
    pack.finalize()
  }
  await Promise.all([written, fill()])
  await rename(partial, target)
}

async function add(pack: tar.Pack, entry: TarEntry): Promise<void> {
  // A fixed time, so that the same files are the same archive.
  const header = { name: entry.name, mode: 0o644, mtime: new Date(0) }
  if ('file' in entry) {
    const { size } = await stat(entry.file)
    return pipeline(createReadStream(entry.file), pack.entry({ ...header, size }))
  }
  return new Promise((resolve, reject) => {
    pack.entry(header, entry.content, (error) => (error ? reject(error) : resolve()))
  })
}
