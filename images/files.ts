import { fileURLToPath } from 'node:url'
import type { Client, Directory } from '@dagger.io/dagger'

/** The files of a folder of images/ that match; only a change to these builds a step again. */
export function imageFiles(client: Client, folder: string, include: string[] = ['**']): Directory {
  return client.host().directory(fileURLToPath(new URL(folder, import.meta.url)), { include })
}
