import { fileURLToPath } from 'node:url'
import type { Client, Directory } from '@dagger.io/dagger'
import { projectFile } from '../facts/project.js'

/** The files of a folder of images/ that match; only a change to these builds a step again. */
export function imageFiles(client: Client, folder: string, include: string[] = ['**']): Directory {
  return projectFolder(client, `images/${folder}`, include)
}

/** The source of a Go program in tools/, with the script that compiles or runs it in a step. */
export function toolFiles(client: Client, name: string): Directory {
  // Without tests: a change to one makes no program another.
  return projectFolder(
    client,
    `tools/${name}/`,
    ['*.go', '*.json', 'go.mod', 'go.sum', '*.sh'],
    ['*_test.go'],
  )
}

function projectFolder(
  client: Client,
  folder: string,
  include: string[],
  exclude: string[] = [],
): Directory {
  return client.host().directory(fileURLToPath(projectFile(folder)), { include, exclude })
}
