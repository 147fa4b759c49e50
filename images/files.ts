import { fileURLToPath } from 'node:url'
import type { Client, Directory, File } from '@dagger.io/dagger'

/** A file of images/ as the engine sees it. */
export function imageFile(client: Client, path: string): File {
  return client.host().file(fileURLToPath(new URL(path, import.meta.url)))
}

/** The files of a folder of images/ that match; only a change to these builds a step again. */
export function imageFiles(client: Client, folder: string, include: string[] = ['**']): Directory {
  return client.host().directory(fileURLToPath(new URL(folder, import.meta.url)), { include })
}
