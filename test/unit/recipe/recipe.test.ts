import { spawnSync } from 'node:child_process'
import test from 'ava'
import { UserError } from '../../../pipeline/facts/errors.js'
import { loadVariants } from '../../../pipeline/facts/load.js'
import { runtimes } from '../../../pipeline/recipe/container.js'
import { nodeRecipe, recipeScript } from '../../../pipeline/recipe/recipe.js'
import {
  parseRecipeRequest,
  type RecipeRequest,
  recipeModes,
} from '../../../pipeline/recipe/request.js'

const facts = loadVariants()

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
  t.regex(flagsOf('v1.23.6'), /--network-plugin=cni \\\n {2}--container-runtime=remote \\/)
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
    ['ctr', '--mount type=bind,src=/var/lib/kubelet,dst=/var/lib/kubelet,options=rbind:rshared:rw'],
    [
      'docker',
      '--mount type=bind,src=/var/lib/kubelet,dst=/var/lib/kubelet,bind-propagation=rshared',
    ],
  ]) {
    const script = recipe(`--mode standalone --runtime ${runtime} --k8s v1.24.0`)
    t.true(script.includes(mount as string), script)
  }
})

test('docker starts the program of the recipe, not the entrypoint of the image', (t) => {
  const script = recipe('--mode standalone --runtime docker --k8s v1.24.0')
  t.regex(
    script,
    /--entrypoint=kubelet \\\n {2}localhost\/kubelet:v1\.24\.0-cni-static --config=\/var\/lib\/kubelet\/config\.yaml \\/,
  )
})

test('an image without CNI plugins leaves the network of pods to others', (t) => {
  t.regex(recipe('--mode standalone --k8s v1.24.0 --variant flannel'), /\/opt\/cni\/bin\/\. /)
  const without = recipe('--mode join --k8s v1.24.0 --variant kubeadm')
  t.notRegex(without, /images mount|10-bridge/)
})

test("the kubelet's image may have no kubeadm: that comes from an image of its own", (t) => {
  const script = recipe('--mode join --k8s v1.24.0 --variant cni')
  t.regex(script, /images import dist\/kubelet-v1\.24\.0-cni-static\.oci\.tar/)
  t.regex(script, /images import dist\/kubelet-v1\.24\.0-kubeadm-static\.oci\.tar/)
  t.regex(script, /localhost\/kubelet:v1\.24\.0-kubeadm-static kubeadm \\\n {2}kubeadm join/)
  t.regex(script, /localhost\/kubelet:v1\.24\.0-cni-static kubelet \\\n {2}kubelet --config/)
  const named = recipe('--mode join --k8s v1.24.0 --variant cni --kubeadm-image example.org/adm:v1')
  t.regex(named, /images pull example\.org\/adm:v1/)
  t.notRegex(recipe('--mode join --k8s v1.24.0'), /-kubeadm-static/)
})

test('with flannel its DaemonSet configures the network, and may replace its plugin', (t) => {
  const script = recipe('--mode join --k8s v1.24.0 --variant flannel')
  t.notRegex(script, /10-bridge/)
  t.regex(script, /cp --remove-destination \/opt\/cni\/bin\/cni \/opt\/cni\/bin\/flannel/)
  t.regex(recipe('--mode standalone --k8s v1.24.0 --variant flannel'), /net\.d\/10-bridge/)
})

test('Docker runs the pods of kubelets with dockershim', (t) => {
  const script = recipe('--mode standalone --runtime docker --k8s v1.23.6')
  t.regex(script, /--network-plugin=cni/)
  t.regex(script, /--pod-infra-container-image=registry/)
  t.regex(script, /src=\/var\/lib\/docker,dst=\/var\/lib\/docker,bind-propagation=rshared/)
  t.notRegex(script, /containerd|--container-runtime|docker create/)
  const later = recipe('--mode standalone --runtime docker --k8s v1.24.0')
  t.regex(later, /src=\/var\/lib\/containerd/)
  t.notRegex(later, /var\/lib\/docker|daemon\.json/)
  t.regex(recipe('--mode join --runtime docker --k8s v1.23.6'), /--cri-socket=.*dockershim\.sock/)
  t.notRegex(recipe('--mode standalone --runtime nerdctl --k8s v1.23.6'), /docker/)
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
  t.true(script.includes('src=/srv/data,dst=/srv/data,options=rbind:rshared:rw'), script)
  t.true(script.includes('src=/mnt/disk1,dst=/mnt/disk1,options=rbind:rshared:rw'), script)
})

const wrong: [string, RegExp][] = [
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
    /^malformed --host-path "data": write a directory/,
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
