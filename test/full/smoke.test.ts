import test from 'ava'
import { npm } from '../_helpers/command.js'

// What npm test leaves out: other runtimes, networks and releases.

for (const flags of [
  '--mode standalone --k8s v1.23.6 --runtime docker',
  '--mode standalone --k8s v1.24.0 --runtime docker',
  '--mode standalone --k8s v1.24.0 --runtime nerdctl',
  '--mode standalone --k8s v1.22.9',
  '--mode standalone --k8s v1.36.4',
  '--mode join --k8s v1.24.0 --variant flannel',
  '--mode join --k8s v1.36.4',
  '--machine vm --mode standalone --k8s v1.24.0',
  '--machine vm --mode standalone --k8s v1.36.4',
  '--machine vm --mode standalone --k8s v1.24.0 --os debian12',
  '--machine vm --mode standalone --k8s v1.23.6 --runtime docker',
  '--machine vm --mode hardway --k8s v1.24.0',
  '--machine vm --mode init --k8s v1.36.4',
  '--machine vm --arch arm64 --mode standalone --variant kubeadm-cni --k8s v1.36.4',
  '--machine vm --arch arm64 --mode init --k8s v1.36.4',
]) {
  test.serial(`npm run smoke -- ${flags}`, async (t) => {
    t.timeout(5_400_000)
    const { status, stdout, stderr } = await npm('smoke', flags.split(' '))
    t.log(stdout)
    t.is(status, 0, stderr)
    t.regex(stdout, /^✔ nothing is left on this machine/m)
    t.notRegex(stdout, /^✘/m)
  })
}
