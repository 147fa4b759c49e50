import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import anyTest, { type ExecutionContext, type TestFn } from 'ava'
import { parseArch } from '../../pipeline/platform.js'
import { requirePrograms } from '../../scripts/host.js'
import { baseImage, npm, readmeCommand } from '../_helpers/command.js'
import { Node, until } from '../_helpers/node.js'
import { podImage, writePodImage } from '../_helpers/pod-image.js'

// The amd64 image of this build in a real containerd, on a node in namespaces of its own.
const test = anyTest as TestFn<Context>
const image = 'localhost/kubelet:v1.24.0-static'
const address = '10.99.0.2'

test.before(async (t) => {
  t.timeout(3_600_000)
  await requirePrograms({
    containerd: 'containerd',
    ctr: 'containerd',
    ip: 'iproute2',
    runc: 'runc',
  })
  const folder = await mkdtemp(join(tmpdir(), 'kubelet-images-run-'))
  const arch = parseArch(process.arch)
  const build = await npm('build', [...baseImage, '--arch', arch, '--output', folder])
  if (build.status !== 0) throw new Error(build.stderr)
  const node = await Node.start('kubelet-images-run', address, podImage)
  t.context = { folder, node }
  await node.ctr('images', 'import', join(folder, 'kubelet-v1.24.0-static.oci.tar'))
  await node.ctr('images', 'import', await writePodImage(folder))
})

test.after.always(async (t) => {
  await t.context.node?.stop()
  if (t.context.folder) await rm(t.context.folder, { recursive: true, force: true })
})

type Context = { folder: string; node: Node }

const prints = test.macro<[string, RegExp]>({
  async exec(t: ExecutionContext<Context>, command, expected) {
    const name = command.replaceAll(/\W+/g, '-')
    t.regex(await t.context.node.ctr('run', '--rm', image, name, ...command.split(' ')), expected)
  },
  title: (_, command) => `${command} runs in a container`,
})

test.serial(prints, 'kubelet --version', /^Kubernetes v1\.24\.0\n$/)
test.serial(prints, 'mount --version', /^mount from util-linux 2\./)
test.serial(prints, 'iptables-nft -V', /^iptables v1\.8\.\d+ \(nf_tables\)\n$/)
test.serial(prints, 'iptables-legacy -V', /^iptables v1\.8\.\d+ \(legacy\)\n$/)

test.serial('a standalone kubelet runs a static pod until it is Ready', async (t) => {
  t.timeout(300_000)
  const { node } = t.context
  const etc = join(node.directory, 'root/etc/kubernetes')
  await mkdir(join(etc, 'manifests'), { recursive: true })
  await writeFile(join(etc, 'kubelet.json'), JSON.stringify(kubeletConfig(node.controlGroup)))
  await writeFile(join(etc, 'manifests/web.json'), JSON.stringify(webPod))

  for (const text of ['--make-rshared', 'kubeletd']) {
    const { status, stderr } = await node.run('sh', ['-euc', readmeCommand(text)])
    t.is(status, 0, stderr)
  }
  await until('the pod is Ready', async () => (await podConditions(node)).Ready === 'True', 120)
  const answer = await node.run('curl', ['--silent', '--fail', `http://${address}:8080/`])
  t.is(answer.stdout, 'ok\n')
  const mounts = await node.run('findmnt', [
    '--noheadings',
    '--list',
    '--output=TARGET',
    '--types=tmpfs',
  ])
  t.regex(
    mounts.stdout,
    /^\/var\/lib\/kubelet\/pods\/[^/]+\/volumes\/kubernetes\.io~empty-dir\/memory\s*$/m,
    'a volume that kubelet mounts in its container is a mount of the node',
  )
})

function kubeletConfig(controlGroup: string) {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    staticPodPath: '/etc/kubernetes/manifests',
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    readOnlyPort: 10255,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${controlGroup}`,
    failSwapOn: false,
    // A disk that others fill must not make kubelet remove the images of the test or evict its pod.
    imageGCHighThresholdPercent: 100,
    evictionHard: { 'nodefs.available': '1Mi', 'imagefs.available': '1Mi' },
    fileCheckFrequency: '1s',
  }
}

const webPod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web' },
  spec: {
    hostNetwork: true,
    terminationGracePeriodSeconds: 1,
    volumes: [{ name: 'memory', emptyDir: { medium: 'Memory' } }],
    containers: [
      {
        name: 'web',
        image: podImage,
        imagePullPolicy: 'Never',
        command: ['/pod', 'serve', ':8080'],
        readinessProbe: { httpGet: { port: 8080 }, periodSeconds: 1 },
        volumeMounts: [{ name: 'memory', mountPath: '/memory' }],
      },
    ],
  },
}

/** Conditions of the only pod, as kubelet reports them: `{Ready: 'True', …}`. */
async function podConditions(node: Node): Promise<Record<string, string>> {
  const { stdout } = await node.run('curl', ['--silent', 'http://127.0.0.1:10255/pods'])
  const pods = stdout === '' ? undefined : JSON.parse(stdout).items
  const conditions: { type: string; status: string }[] = pods?.[0]?.status?.conditions ?? []
  return Object.fromEntries(conditions.map(({ type, status }) => [type, status]))
}
