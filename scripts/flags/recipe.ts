import { runtimes } from '../../pipeline/recipe/container.js'
import { makeRecipeRequest, networks, recipeModes } from '../../pipeline/recipe/request.js'
import { declare, defineCommand, repeated } from '../terminal/command.js'
import { choices, sharedFlags } from './shared.js'

export const recipe = defineCommand({
  flags(facts) {
    const flag = sharedFlags(facts)
    return declare(
      'recipe',
      '--mode <mode> --k8s <version> [options]',
      'Prints what to do on a fresh machine with containerd, in order and ready to be pasted, to run a node from an image.',
    )
      .option(
        '--mode <mode>',
        `${choices(recipeModes)}: static pods; the first and next nodes of a cluster, by kubeadm; a node with a CA and certificates of your own`,
      )
      .addOption(flag.k8s)
      .option('--runtime <name>', `${choices(runtimes)}: what runs the kubelet (default: ctr)`)
      .option('--base <name>', `${choices(Object.keys(facts.bases))} (default: static)`)
      .option(
        '--variant <name>',
        `${choices(Object.keys(facts.variants))} (default: cni; for init and join kubeadm-cni)`,
      )
      .option(
        '--image <ref>',
        'image in a registry (default: the archive that npm run build writes)',
      )
      .option(
        '--kubeadm-image <ref>',
        'init, join: image with kubeadm (default: --image, or variant kubeadm where it has none)',
      )
      .option(
        '--network <name>',
        `${choices(networks)}: flannel's DaemonSet comes later (default: in a cluster none until one is applied, or flannel for that variant; else bridge, none for images without CNI plugins)`,
      )
      .option('--output <dir>', 'where the archive is (default: dist)')
      .option(
        '--host-path <dir>',
        'directory that pods mount as a hostPath volume with a type, or below a sub path; repeatable',
        repeated,
      )
      .option('--pause-image <ref>', 'image of pod sandboxes (default: registry.k8s.io/pause:3.10)')
      .option(
        '--pod-cidr <cidr>',
        'addresses for the pods of this node (default: 10.244.0.0/24); init: of all nodes, of which this one takes the first 256 (default: 10.244.0.0/16)',
      )
      .option(
        '--image-repository <ref>',
        "init: where the control plane's images come from (default: registry.k8s.io)",
      )
      .option(
        '--skip-phases <list>',
        'init: phases of kubeadm to leave out, for example addon/coredns',
      )
      .option('--server <host:port>', 'join, hardway: the API server')
      .option('--token <token>', 'join: a bootstrap token, and')
      .option(
        '--ca-cert-hash <hash>',
        'join: the hash of the CA, as kubeadm token create --print-join-command prints them',
      )
      .option(
        '--check',
        'print a script that looks whether a machine can be the node instead, and changes nothing',
      )
      .addHelpText('after', '\nExit status: 0 done, 2 the request was wrong.')
  },
  request: makeRecipeRequest,
  load: () => import('../recipe.js'),
})
