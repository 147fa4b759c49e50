import { UserError } from '../facts/errors.js'
import type { FileSize } from './comparison.js'
import type { WhyRequest } from './request.js'
import type { LayerSize, SizeRow } from './rows.js'

/** A share of a program: a Go module or a section of the file. */
export interface Part {
  name: string
  bytes: number
}

/** A file with what it is made of, if that can be told. */
export interface ExplainedFile extends FileSize {
  /** For Go programs; they add up to the file, or where UPX packed it to the program that it unpacks. */
  parts: Part[]
  /** Why there are no parts, or what they are of. */
  note?: string
  /** Alpine's package that brought it. */
  package?: string
}

/** An image with what its files are made of. */
export interface ExplainedImage extends SizeRow {
  layers: (LayerSize & { files: ExplainedFile[] })[]
}

/** The row of the image that is asked for. Throws a UserError where none fits or several do. */
export function chooseRow(rows: readonly SizeRow[], request: WhyRequest): SizeRow {
  const { image, variant, arch, kubernetes, base, output } = request
  const wanted = { image, variant, arch, ...(kubernetes && { kubernetes }), ...(base && { base }) }
  const fitting = rows.filter((row) =>
    Object.entries(wanted).every(([key, value]) => row[key as keyof SizeRow] === value),
  )
  const [row, ...more] = fitting
  if (row === undefined) {
    const words = Object.values(wanted).join(', ')
    throw new UserError(
      `${output} has no image for ${words}: build it first, see npm run build -- --help`,
    )
  }
  if (more.length > 0) {
    const tags = fitting.map(({ tag }) => tag).join(', ')
    throw new UserError(`${output} has several that fit: choose by --k8s and --base from ${tags}`)
  }
  return row
}

/** The packages that brought the files of an Alpine root, by path, from lib/apk/db/installed. */
export function packagesByFile(database: string): Map<string, string> {
  const packages = new Map<string, string>()
  let [name, folder] = ['', '']
  for (const line of database.split('\n')) {
    const value = line.slice(2)
    if (line.startsWith('P:')) name = value
    if (line.startsWith('F:')) folder = value === '' ? '' : `${value}/`
    if (line.startsWith('R:')) packages.set(folder + value, name)
  }
  return packages
}

/** The parts of at least `minimum` bytes, largest first, and all smaller ones as one. */
export function largest(parts: readonly Part[], minimum: number): Part[] {
  const large = parts.filter(({ bytes }) => bytes >= minimum)
  const small = parts.filter(({ bytes }) => bytes < minimum)
  const rest = {
    name: `(${small.length} smaller)`,
    bytes: small.reduce((sum, { bytes }) => sum + bytes, 0),
  }
  return [...large.sort((a, b) => b.bytes - a.bytes), ...(rest.bytes > 0 ? [rest] : [])]
}
