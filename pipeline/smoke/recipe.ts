import { readFile } from 'node:fs/promises'
import type { RecipeRequest } from '../recipe/request.js'
import type { Step } from '../recipe/steps.js'
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

/** Does on a node what `npm run recipe` prints, with what this machine needs beside it. */
export async function followRecipe(
  node: Node,
  steps: readonly Step[],
  report: Report,
): Promise<void> {
  for (const { title, script, service } of steps) {
    await report.check(`${node.name}: ${title}`, async () => {
      if (service === 'containerd') await adaptContainerd(node)
      if (service === undefined) await node.shell(script)
      else await node.restart(service)
    })
  }
}

// CAP_SYS_RESOURCE in the mask of /proc/self/status.
const sysResource = 1n << 24n

/** A machine that may itself be a container may not lower the OOM score of a sandbox. */
async function adaptContainerd(node: Node): Promise<void> {
  const [, mask] = /^CapEff:\s*(\w+)$/m.exec(await readFile('/proc/self/status', 'utf8')) ?? []
  if (BigInt(`0x${mask}`) & sysResource) return
  await node.shell(
    `sed -i 's/^  sandbox_image/  restrict_oom_score_adj = true\\n&/' /etc/containerd/config.toml`,
  )
}
