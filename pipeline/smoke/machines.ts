import { join } from 'node:path'
import type { Facts } from '../facts/schema.js'
import { line } from '../host/progress.js'
import { temporaryDirectory } from '../host/temporary.js'
import { requirePrograms } from '../host/tools.js'
import { keepKernelSettings } from './kernel.js'
import { chooseAccelerator, emulatorPrograms } from './machine/hardware.js'
import { machineImage, makeDisk } from './machine/image.js'
import { MachineNetwork } from './machine/network.js'
import { imagesFolder, VirtualMachine } from './machine/virtual-machine.js'
import { verifyMachine } from './machine.js'
import { NamespaceNode } from './namespace-node.js'
import { bePatient, type Node } from './node.js'
import type { SmokeRequest } from './request.js'

/** Where the nodes of a test run. */
export interface Machines {
  /** Where nodes see the archives. */
  folder: string
  /** Starts a node; every one but the first is the neighbour of the one before. */
  start(name: string, address: string): Promise<Node>
  /** Puts back what was changed on this machine, when all nodes have ended. */
  end(): void
}

const inNamespaces = {
  containerd: 'containerd',
  ctr: 'containerd',
  curl: 'curl',
  ip: 'iproute2',
  openssl: 'openssl',
  iptables: 'iptables',
  pkill: 'procps',
  runc: 'runc',
}

/** Makes sure that nodes can run here, before anything is built. Throws a BuildError that says what is missing. */
export async function verifyMachines({
  machine,
  arch,
  runtime,
  build,
}: SmokeRequest): Promise<void> {
  if (machine === 'vm') {
    const emulator = emulatorPrograms(arch)
    await requirePrograms({ ...emulator, ip: 'iproute2', ssh: 'openssh-client' })
    return
  }
  const docker = runtime === 'docker' && { docker: 'docker.io', dockerd: 'docker.io' }
  await requirePrograms({ ...inNamespaces, ...docker })
  await verifyMachine(build.variants)
}

/** Machines for the archives in a folder. */
export function startMachines(
  request: SmokeRequest,
  facts: Facts,
  folder: string,
): Promise<Machines> {
  return request.machine === 'vm' ? virtual(request, facts, folder) : namespaces(request, folder)
}

async function namespaces({ runtime }: SmokeRequest, folder: string): Promise<Machines> {
  const programs = join(folder, 'programs/usr/local/bin')
  const docker = runtime === 'docker'
  const end = keepKernelSettings()
  let last: NamespaceNode | undefined
  return {
    folder,
    async start(name, address) {
      last = await NamespaceNode.start({ name, address, programs, docker }, last)
      return last
    },
    end,
  }
}

async function virtual(
  { os, arch, runtime }: SmokeRequest,
  facts: Facts,
  folder: string,
): Promise<Machines> {
  const image = await machineImage(facts, os, arch)
  const accelerator = await chooseAccelerator(image.kernel, arch)
  line(
    `virtual machines: ${accelerator === 'kvm' ? 'by KVM' : 'emulated, because no kernel starts by KVM here'}`,
  )
  if (accelerator === 'tcg') bePatient(5)
  const images = join(temporaryDirectory('images'), 'images.ext4')
  await makeDisk(images, '4G', folder)
  const network = await MachineNetwork.start()
  let number = 0
  return {
    folder: imagesFolder,
    async start(name) {
      number += 1
      const options = { name, number, arch, image, accelerator, network, images }
      const machine = await VirtualMachine.start(options)
      // A machine whose containerd is too old for the release has a newer one before the recipe begins.
      const programs = `${imagesFolder}/programs/usr/local/bin`
      await machine.shell(
        `[ ! -d ${programs} ] || { cp --remove-destination ${programs}/* /usr/bin/; systemctl restart containerd; }`,
      )
      if (runtime === 'docker') await machine.succeed('systemctl', 'enable', '--now', 'docker')
      return machine
    },
    end: () => network.stop(),
  }
}
