import type { ImageSpec } from '../plan/spec.js'
import type { RecipeRequest, RecipeValues } from '../recipe/request.js'
import type { Node } from './node.js'
import type { Report } from './report.js'
import type { Conformance } from './request.js'

/** The images that a mode runs, by name. */
export type Images = Readonly<Record<string, ImageSpec>>

/** What a mode works with. */
export interface Setting {
  /** A node, and the image of pods on it; every node but the first is the neighbour of the one before. */
  startNode(name: string, address: string): Promise<Node>
  /** A recipe for the kubelet's image that is tested, with more of what `npm run recipe` takes. */
  recipe(values: RecipeValues): RecipeRequest
  specs: Images
  /** Where the archives are. */
  folder: string
  /** Whether Kubernetes' own conformance tests run too, where there is a cluster. */
  conformance: false | Conformance
  report: Report
}
