import { readFile } from 'node:fs/promises'
import type { RecipeRequest } from '../recipe/request.js'
import { containerdConfig, type Step, stepScript } from '../recipe/steps.js'
import type { Node } from './node.js'
import type { Report } from './report.js'

/** The same request for a disk that others fill: the kubelet removes no image of the test and evicts none of its pods. */
export function onFullDisk(request: RecipeRequest): RecipeRequest {
  const kubeletConfig = {
    ...request.kubeletConfig,
    imageGCHighThresholdPercent: 100,
    evictionHard: { 'nodefs.available': '1Mi', 'imagefs.available': '1Mi' },
  }
  return { ...request, kubeletConfig }
}

/** Does on a node what `npm run recipe` prints: on a booted machine as it is, in namespaces with what they need beside it. */
export async function followRecipe(
  node: Node,
  steps: readonly Step[],
  report: Report,
): Promise<void> {
  const asTheyAre = node.booted || (await canProtectSandboxes())
  const own = asTheyAre ? steps : steps.map(withUnprotectedSandboxes)
  for (const step of own) {
    await report.check(`${node.name}: ${step.title}`, async () => {
      if (node.booted || step.service === undefined) await node.shell(stepScript(step))
      else await node.restart(step.service)
    })
  }
}

// CAP_SYS_RESOURCE in the mask of /proc/self/status.
const sysResource = 1n << 24n

/** Whether this machine may lower the OOM score of a sandbox: one that is itself a container may not. */
async function canProtectSandboxes(): Promise<boolean> {
  const [, mask] = /^CapEff:\s*(\w+)$/m.exec(await readFile('/proc/self/status', 'utf8')) ?? []
  return (BigInt(`0x${mask}`) & sysResource) !== 0n
}

/** The step with a line more in containerd's configuration. */
function withUnprotectedSandboxes(step: Step): Step {
  const files = step.files?.map((file) => {
    if (file.path !== containerdConfig) return file
    const content = file.content.replace(
      /^ {2}sandbox_image/m,
      '  restrict_oom_score_adj = true\n$&',
    )
    return { ...file, content }
  })
  return { ...step, ...(files && { files }) }
}
