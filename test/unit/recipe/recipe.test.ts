import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { UserError } from '../../../pipeline/facts/errors.js'
import { loadFacts } from '../../../pipeline/facts/load.js'
import { runScript, runtimes } from '../../../pipeline/recipe/container.js'
import { hostPaths } from '../../../pipeline/recipe/host-contract.js'
import { checkScript, nodeRecipe, recipeScript } from '../../../pipeline/recipe/recipe.js'
import { type RecipeRequest, recipeModes } from '../../../pipeline/recipe/request.js'
import type { NodeFile } from '../../../pipeline/recipe/shell.js'
import { startFile } from '../../../pipeline/recipe/start.js'
import { parseRecipeRequest } from '../../_helpers/requests.js'

const facts = loadFacts()

function request(text: string): RecipeRequest {
  return parseRecipeRequest(text.split(' '), facts) as RecipeRequest
}

function recipe(text: string): string {
  return recipeScript(nodeRecipe(request(text)))
}

for (const mode of recipeModes) {
  for (const runtime of runtimes) {
    test(`${mode} with ${runtime} is a shell script`, (t) => {
      const script = recipe(`--mode ${mode} --runtime ${runtime} --k8s v1.24.0`)
      const { status, stderr } = spawnSync('sh', ['-n'], { input: script, encoding: 'utf8' })
      t.is(stderr, '')
      t.is(status, 0)
      t.notRegex(script, /undefined|\[object/)
    })
  }
}

const flagsOf = (release: string) => recipe(`--mode join --k8s ${release}`)

test('flags of the kubelet are those of its release', (t) => {
  t.regex(
    flagsOf('v1.23.6'),
    /--network-plugin=cni \\\n {2}\$KUBELET_KUBEADM_ARGS \\\n {2}--container-runtime=remote \\/,
  )
  t.notRegex(flagsOf('v1.24.0'), /--network-plugin/)
  t.regex(flagsOf('v1.26.0'), /--container-runtime=remote/)
  t.notRegex(flagsOf('v1.27.0'), /--container-runtime=remote/)
  t.regex(
    flagsOf('v1.27.0'),
    /--container-runtime-endpoint=unix:\/\/\/run\/containerd\/containerd.sock/,
  )
})

test('configuration is that of its release', (t) => {
  const config = (release: string) => recipe(`--mode init --k8s ${release}`)
  t.notRegex(config('v1.30.0'), /failCgroupV1/)
  t.regex(config('v1.31.0'), /^failCgroupV1: false$/m)
  t.regex(config('v1.30.0'), /^apiVersion: kubeadm.k8s.io\/v1beta3$/m)
  t.regex(config('v1.31.0'), /^apiVersion: kubeadm.k8s.io\/v1beta4$/m)
})

test('the containers share with the node what they must', (t) => {
  for (const [runtime, mount] of [
    ['ctr', 'options=rbind:rshared:rw /var/lib/kubelet'],
    ['docker', 'bind-propagation=rshared /var/lib/kubelet'],
  ]) {
    const script = recipe(`--mode standalone --runtime ${runtime} --k8s v1.24.0`)
    t.true(script.includes(mount as string), script)
  }
})

test('docker starts the program of the recipe, not the entrypoint of the image', (t) => {
  const script = recipe('--mode standalone --runtime docker --k8s v1.24.0')
  t.regex(
    script,
    /--entrypoint=kubelet \\\n {2}"\$@" \\\n {2}localhost\/kubelet:v1\.24\.0-cni-static \\\n {2}--config=\/var\/lib\/kubelet\/config\.yaml \\/,
  )
})

test('an image without CNI plugins leaves the network of pods to others', (t) => {
  t.regex(recipe('--mode standalone --k8s v1.24.0 --variant flannel'), /\/opt\/cni\/bin\/\. /)
  const without = recipe('--mode join --k8s v1.24.0 --variant kubeadm')
  t.notRegex(without, /images mount|99-bridge/)
})

test("the kubelet's image may have no kubeadm: that comes from an image of its own", (t) => {
  const script = recipe('--mode join --k8s v1.24.0 --variant cni')
  t.regex(script, /images import dist\/kubelet-v1\.24\.0-cni-static\.oci\.tar/)
  t.regex(script, /images import dist\/kubelet-v1\.24\.0-kubeadm-static\.oci\.tar/)
  t.regex(script, /localhost\/kubelet:v1\.24\.0-kubeadm-static kubeadm \\\n {2}kubeadm join/)
  t.regex(
    script,
    /localhost\/kubelet:v1\.24\.0-cni-static kubelet \\\n {2}kubelet \\\n {2}--config/,
  )
  const named = recipe('--mode join --k8s v1.24.0 --variant cni --kubeadm-image example.org/adm:v1')
  t.regex(named, /images pull example\.org\/adm:v1/)
  t.notRegex(recipe('--mode join --k8s v1.24.0'), /-kubeadm-static/)
})

test('with flannel its DaemonSet configures the network, and may replace its plugin', (t) => {
  const script = recipe('--mode join --k8s v1.24.0 --variant flannel')
  t.notRegex(script, /99-bridge/)
  t.regex(script, /cp --remove-destination \/opt\/cni\/bin\/cni \/opt\/cni\/bin\/flannel/)
  t.regex(recipe('--mode standalone --k8s v1.24.0 --variant flannel'), /net\.d\/99-bridge/)
})

test('Docker runs the pods of kubelets with dockershim', (t) => {
  const script = recipe('--mode standalone --runtime docker --k8s v1.23.6')
  t.regex(script, /--network-plugin=cni/)
  t.regex(script, /--pod-infra-container-image=registry/)
  t.regex(script, /bind-propagation=rshared \/var\/lib\/docker/)
  t.notRegex(script, /run\/containerd|\/var\/lib\/containerd|--container-runtime|docker create/)
  const later = recipe('--mode standalone --runtime docker --k8s v1.24.0')
  t.regex(later, / \/var\/lib\/containerd\n/)
  t.notRegex(later, /var\/lib\/docker|daemon\.json/)
  t.regex(recipe('--mode join --runtime docker --k8s v1.23.6'), /criSocket: .*dockershim\.sock/)
  t.notRegex(recipe('--mode standalone --runtime nerdctl --k8s v1.23.6'), /^docker |dockershim/m)
})

test('an image of a registry is pulled, one of this project imported', (t) => {
  t.regex(
    recipe('--mode standalone --k8s v1.24.0'),
    /images import dist\/kubelet-v1.24.0-cni-static.oci.tar/,
  )
  const pulled = recipe('--mode standalone --k8s v1.24.0 --image example.org/kubelet:v1')
  t.regex(pulled, /images pull example.org\/kubelet:v1/)
  t.notRegex(pulled, /images import/)
})

test('a directory for hostPath volumes is seen by the kubelet too', (t) => {
  const paths = '--host-path /srv/data --host-path /mnt/disk1'
  const script = recipe(`--mode standalone --k8s v1.24.0 ${paths}`)
  t.regex(script, /^mkdir -p .*\/srv\/data \/mnt\/disk1$/m)
  t.regex(script, /^options=rbind:rshared:rw \/srv\/data$/m)
  t.regex(script, /^options=rbind:rshared:rw \/mnt\/disk1$/m)
})

test('words with blanks and quotes stay words, and what the host lacks is left out', (t) => {
  const folder = mkdtempSync(join(tmpdir(), "my da'ta "))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const container = {
    name: 'kubelet',
    image: 'kubelet:v1',
    command: ['kubelet', "--a=b c'd", '$flags'],
    mounts: [{ path: folder, propagation: 'rshared' }, { path: '/no/such/path' }, { path: '/dev' }],
    life: 'attached',
  } as const
  const words = (runtime: 'ctr' | 'docker') => {
    const printing = `${runtime}() { printf '%s\\n' "$@"; }\nflags='--x --y'\n`
    const script = printing + runScript(container, runtime)
    return spawnSync('sh', ['-euc', script], { encoding: 'utf8' }).stdout.trim().split('\n')
  }
  const common = ["--a=b c'd", '--x', '--y']
  t.deepEqual(words('ctr').slice(-10), [
    '--mount',
    `type=bind,src=${folder},dst=${folder},options=rbind:rshared:rw`,
    '--mount',
    'type=bind,src=/dev,dst=/dev,options=rbind:rw',
    'kubelet:v1',
    'kubelet',
    'kubelet',
    ...common,
  ])
  t.deepEqual(words('docker').slice(-8), [
    '--mount',
    `type=bind,src=${folder},dst=${folder},bind-propagation=rshared`,
    '--mount',
    'type=bind,src=/dev,dst=/dev,bind-propagation=rprivate',
    'kubelet:v1',
    ...common,
  ])
})

test("every path of the contract that is the kubelet's is in the script that starts it", (t) => {
  for (const [flags, dockershim] of [
    ['--k8s v1.24.0', false],
    ['--k8s v1.23.6 --runtime docker', true],
  ] as const) {
    const script = recipe(`--mode join ${flags}`)
    for (const { path } of hostPaths('kubelet', dockershim))
      t.true(script.includes(` ${path}\n`), path)
    for (const { path } of hostPaths('kubeadm', dockershim))
      t.true(script.includes(` ${path}\n`), path)
  }
})

/** What the start script makes of a host with these files, which are below a folder in place of the root. */
function started(t: ExecutionContext, files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'kubelet-images-start-'))
  t.teardown(() => rmSync(root, { recursive: true }))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), content)
  }
  const file = nodeRecipe(request('--mode join --k8s v1.24.0 --runtime systemd'))
    .flatMap((step) => step.files ?? [])
    .find(({ path }) => path === startFile)
  const script = (file as NodeFile).content
    .replaceAll(
      / (\/(?:var\/lib\/kubelet\/\w|etc\/(?:default|resolv|containerd)|run\/systemd)[\w./-]*)/g,
      ` ${root}$1`,
    )
    // The kubelet's default is a name, and no file of this machine.
    .replace(`= ${root}/etc/resolv.conf`, '= /etc/resolv.conf')
    .replace('exec ctr', 'ctr')
  const stubs = ['mountpoint', 'mount', 'systemctl', 'ctr']
    .map((name) => `${name}() { echo ${name} "$@"; }`)
    .join('\n')
  const { stdout, stderr } = spawnSync('sh', ['-c', `${stubs}\n${script}`], { encoding: 'utf8' })
  t.is(stderr, '')
  return stdout.replaceAll(root, '')
}

test('the check of a machine tells what does not fit, and changes nothing', (t) => {
  const script = checkScript(request('--mode standalone --k8s v1.36.4 --runtime systemd --check'))
  const { stdout, status } = spawnSync('sh', ['-c', script], {
    encoding: 'utf8',
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
  })
  t.is(status, stdout.includes('error: ') ? 1 : 0)
  for (const line of stdout.trim().split('\n')) {
    t.regex(line, /^(?:error|warning): .+, so .+\. .+\.$|^this machine can be a node of v1\.36\.4$/)
  }
  if (!existsSync('/run/systemd/system'))
    t.regex(stdout, /^error: this host does not run systemd, so /m)
  t.regex(script, /^release=v1\.36\.4\nruntime=systemd\ncontainerd=2\ndockershim=$/m)
})

test('the start of the kubelet goes by the host and the cluster', (t) => {
  const config = '/var/lib/kubelet/config.yaml'
  const containerd = '/etc/containerd/config.toml'
  const ours = '# kubelet-images\nSystemdCgroup = true\n'
  const plain = { '/etc/resolv.conf': 'nameserver 192.0.2.1\n', [containerd]: ours }
  const systemd = { ...plain, '/run/systemd/system/x': '', [config]: 'cgroupDriver: systemd\n' }

  t.notRegex(started(t, systemd), /systemctl|--cgroup-driver/)
  t.regex(started(t, systemd), / --resolv-conf=\/proc\/1\/root\/etc\/resolv\.conf$/m)
  // A cluster that was made without systemd.
  t.regex(
    started(t, { ...systemd, [config]: 'cgroupDriver: cgroupfs\n' }),
    /^systemctl restart containerd$/m,
  )
  // A host without it in a cluster that was made with it.
  const without = started(t, { ...plain, [config]: 'cgroupDriver: systemd\n' })
  t.regex(without, /^systemctl restart containerd$/m)
  t.regex(without, / --cgroup-driver=cgroupfs$/m)
  const stub = {
    ...systemd,
    '/etc/resolv.conf': '# stub\nnameserver 127.0.0.53\n',
    '/run/systemd/resolve/resolv.conf': 'nameserver 192.0.2.1\n',
  }
  t.regex(started(t, stub), / --resolv-conf=\/run\/systemd\/resolve\/resolv\.conf$/m)
  // As kubeadm writes the kubelet's default.
  const standard = { ...stub, [config]: 'cgroupDriver: systemd\nresolvConf: /etc/resolv.conf\n' }
  t.regex(started(t, standard), / --resolv-conf=\/run\/systemd\/resolve\/resolv\.conf$/m)
  const args = {
    ...systemd,
    '/var/lib/kubelet/kubeadm-flags.env': 'KUBELET_KUBEADM_ARGS="--node-ip=192.0.2.2 --v=1"\n',
    '/etc/default/kubelet': 'KUBELET_EXTRA_ARGS="--v=4"\n',
  }
  t.regex(started(t, args), /--node-ip=192\.0\.2\.2 --v=1 --container-runtime=remote .* --v=4$/m)
})

test('the first node names the range of all pods, and takes the beginning of it', (t) => {
  const ranges = (flags: string) => {
    const script = recipe(`--k8s v1.24.0 --network bridge ${flags}`)
    return [/podSubnet: (.*)/.exec(script)?.[1], /"subnet": "(.*)"/.exec(script)?.[1]]
  }
  t.deepEqual(ranges('--mode init'), ['10.244.0.0/16', '10.244.0.0/24'])
  t.deepEqual(ranges('--mode init --pod-cidr 10.1.0.0/16'), ['10.1.0.0/16', '10.1.0.0/24'])
  t.deepEqual(ranges('--mode init --pod-cidr 10.1.0.0/24'), ['10.1.0.0/24', '10.1.0.0/24'])
  t.deepEqual(ranges('--mode join --pod-cidr 10.1.3.0/24'), [undefined, '10.1.3.0/24'])
})

test('a join token is in a file that root alone reads, and is gone afterwards', (t) => {
  const token = 'abcdef.0123456789abcdef'
  const script = recipe(`--mode join --k8s v1.24.0 --server 192.0.2.1:6443 --token ${token}`)
  t.is(script.split(token).length, 2, 'it is there once')
  t.regex(script, /^install -m 600 \/dev\/null \/etc\/kubernetes\/kubeadm-join\.yaml$/m)
  t.regex(script, /^ {4}token: abcdef\.0123456789abcdef$/m)
  t.regex(script, /^rm -f \/etc\/kubernetes\/kubeadm-join\.yaml$/m)
})

const hash = `sha256:${'0'.repeat(64)}`
const hostile: [string, string, string][] = [
  ['join', 'server', ';id'],
  ['join', 'server', '192.0.2.1:6443;touch /tmp/x'],
  ['join', 'server', '192.0.2.1'],
  ['join', 'server', '192.0.2.1:99999'],
  ['join', 'token', '$(id)'],
  ['join', 'ca-cert-hash', 'sha256:`id`'],
  ['standalone', 'image', 'reg/x:1; rm -rf /'],
  ['standalone', 'pause-image', 'x"\nEOF\ntouch /tmp/x'],
  ['init', 'image-repository', '$(id)'],
  ['init', 'skip-phases', 'addon/coredns;id'],
  ['standalone', 'pod-cidr', '10.0.0.0/24;id'],
  ['standalone', 'host-path', '/srv/../etc'],
  ['standalone', 'host-path', '/srv/a,dst=/etc'],
  ['standalone', 'host-path', '/srv/a\n/b'],
  ['standalone', 'output', '-x'],
]
for (const [mode, flag, value] of hostile) {
  test(`--mode ${mode} --${flag} ${JSON.stringify(value)} is refused in one line`, (t) => {
    const args = [`--mode=${mode}`, '--k8s=v1.24.0', `--${flag}=${value}`]
    const error = t.throws(() => parseRecipeRequest(args, facts), { instanceOf: UserError })
    t.true(
      error?.message.startsWith(`malformed --${flag} ${JSON.stringify(value)}: write it like `),
    )
    t.notRegex(error?.message ?? '', /\n/)
  })
}

test('values of the right shape', (t) => {
  for (const server of ['192.0.2.1:6443', 'api.example.org:443', '[2001:db8::1]:6443']) {
    t.notThrows(() => recipe(`--mode join --k8s v1.24.0 --server ${server} --ca-cert-hash ${hash}`))
  }
  for (const image of ['localhost/kubelet:v1', `r.example.org:5000/a/b_c:v1@${hash}`, 'pause']) {
    t.notThrows(() => recipe(`--mode standalone --k8s v1.24.0 --image ${image}`), image)
  }
})

const wrong: [string, RegExp][] = [
  [
    '--mode standalone --k8s v1.24.0 --token x',
    /^--token is for --mode join, not for standalone: leave it out$/,
  ],
  [
    '--mode init --k8s v1.24.0 --server a:1',
    /^--server is for --mode join and hardway, not for init: /,
  ],
  ['--k8s v1.24.0', /^missing --mode: choose from standalone, init, join, hardway$/],
  [
    '--mode alone --k8s v1.24.0',
    /^unknown mode "alone": choose from standalone, init, join, hardway\.$/,
  ],
  ['--mode join', /^missing --k8s: /],
  ['--mode join --k8s v1.24.0 --runtime podman', /^unknown runtime "podman": choose from ctr, /],
  [
    '--mode join --k8s v1.24.0 --network calico',
    /^unknown network "calico": choose from bridge, flannel, none\.$/,
  ],
  [
    '--mode join --k8s v1.24.0 --variant kubeadm --network flannel',
    /^--network flannel needs CNI plugins, and variant "kubeadm" has none: use /,
  ],
  [
    '--mode join --k8s v1.24.0 --host-path data',
    /^malformed --host-path "data": write it like \/srv\/data$/,
  ],
  ['--mode join --k8s v1.24.0 --pod-cidr 10.1.0.0', /^malformed --pod-cidr "10.1.0.0"/],
  [
    '--mode join --k8s v1.24.0 --podcidr 10.1.0.0',
    /^unknown flag "--podcidr": .* Did you mean --pod-cidr\?$/,
  ],
]
for (const [args, message] of wrong) {
  test(`wrong: ${args}`, (t) => {
    const error = t.throws(() => request(args), { instanceOf: UserError })
    t.regex(error?.message ?? '', message)
  })
}
