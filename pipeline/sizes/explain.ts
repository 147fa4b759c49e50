import { open, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Facts } from '../facts/schema.js'
import { buildGoTool } from '../host/go-tool.js'
import { run, succeed } from '../host/process.js'
import { hasProgram, requirePrograms } from '../host/tools.js'
import { type Descriptor, unpackLayer } from '../oci/read.js'
import { archiveOf, platformImage, readImage, readRows, withArchive } from './content.js'
import type { WhyRequest } from './request.js'
import {
  chooseRow,
  type ExplainedFile,
  type ExplainedImage,
  type Part,
  packagesByFile,
} from './why.js'

/** Reads an image with what its files are made of. Throws a UserError where it is not there. */
export async function explainImage(request: WhyRequest, facts: Facts): Promise<ExplainedImage> {
  const output = resolve(request.output)
  const row = chooseRow(await readRows(output), request)
  await requirePrograms({ go: 'golang-go' })
  return withArchive(output, archiveOf(row), async (platforms, folder) => {
    const platform = platformImage(row, platforms)
    const image = await readImage(row, platform, folder, facts)
    const partsOf = await partsReader(folder)
    const layers: ExplainedImage['layers'] = []
    for (const [i, layer] of image.layers.entries()) {
      const root = join(folder, `root-${i}`)
      await unpackLayer(platform.layers[i] as Descriptor, folder, root)
      const packages = packagesByFile(await readText(join(root, 'lib/apk/db/installed')))
      const files: ExplainedFile[] = []
      for (const file of layer.files) {
        const owner = packages.get(file.path)
        const explained = await explainFile(join(root, file.path), partsOf)
        files.push({ ...file, ...explained, ...(owner && { package: owner }) })
      }
      layers.push({ ...layer, files })
    }
    return { ...image, layers }
  })
}

/** A file's text; nothing where there is no such file. */
function readText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '')
}

/** Compiles tools/go-sizes into the folder, and gives what tells the parts of a Go program. */
async function partsReader(folder: string): Promise<(file: string) => Promise<Part[]>> {
  const program = await buildGoTool('go-sizes', folder)
  return async (file) => JSON.parse(await succeed(program, [file])) as Part[]
}

/** What a file is made of, as far as can be told. */
async function explainFile(
  file: string,
  partsOf: (file: string) => Promise<Part[]>,
): Promise<Pick<ExplainedFile, 'parts' | 'note'>> {
  if (!(await isPacked(file))) return { parts: await partsOf(file) }
  if (!hasProgram('upx')) {
    return { parts: [], note: 'packed by UPX, which is not installed here to unpack it' }
  }
  const unpacked = `${file}.unpacked`
  const { status } = await run('upx', ['-d', '-qqq', '-o', unpacked, file])
  if (status !== 0) return { parts: [], note: 'packed by UPX, which could not unpack it' }
  return { parts: await partsOf(unpacked), note: 'packed by UPX: the parts are of what it unpacks' }
}

/** Whether UPX packed a program: its mark follows the headers. */
async function isPacked(file: string): Promise<boolean> {
  const handle = await open(file)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(1024), 0, 1024, 0)
    return buffer.subarray(0, bytesRead).includes('UPX!')
  } finally {
    await handle.close()
  }
}
