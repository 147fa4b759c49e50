import type { Packing } from '../facts/schema.js'

/** One component compressed in one way. Sizes in bytes, time in milliseconds. */
export interface Measurement {
  packing: Packing
  /** Files as they lie on a node. */
  extracted: number
  /** The layer, as `packLayer` compresses it. */
  gzip: number
  zstd: number
  /** From start to end of the component's start command, the fastest of ten; absent where the target cannot be run. */
  start?: number
}

/**
 * The packing that takes the least room on a node, which keeps the compressed layer beside the extracted one, and starts
 * within the budget in milliseconds. Without a budget, for a daemon, none: a packed program shares no memory pages.
 */
export function bestPacking(measurements: readonly Measurement[], budget?: number): Packing {
  if (budget === undefined) return 'none'
  const inTime = measurements.filter(({ start }) => start !== undefined && start <= budget)
  const [best] = [...inTime].sort((a, b) => room(a) - room(b))
  return best?.packing ?? 'none'
}

function room({ extracted, zstd }: Measurement): number {
  return extracted + zstd
}
