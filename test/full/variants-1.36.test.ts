import { testTable } from '../_helpers/table.js'

// No conntrack any more, and an nft with the libraries that it needs.
const libraries = [
  ...['bsd.so.0', 'c.so.6', 'edit.so.2', 'gmp.so.10', 'jansson.so.4', 'md.so.0', 'mnl.so.0'],
  ...['nftables.so.1', 'nftnl.so.11', 'tinfo.so.6', 'xtables.so.12'],
].map((name) => `lib${name}`)
const loader = {
  amd64: 'ld-linux-x86-64.so.2',
  arm64: 'ld-linux-aarch64.so.1',
  arm: 'ld-linux-armhf.so.3',
}
const dynamic = { directory: '/usr/lib/nft', programs: ['nft'], libraries, loader }
testTable('v1.36.4', { kubelet: [], 'kube-proxy': [], dynamic })
