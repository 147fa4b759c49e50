import type { Node } from '../node.js'

/**
 * Starts every program of an image that a node has in a namespace of containerd, with the image's own files around it; tells how many. Throws
 * with the names of those that cannot be started, end by a signal, or do not end.
 */
export async function startPrograms(
  node: Node,
  { namespace, ref }: { namespace: string; ref: string },
): Promise<string> {
  const said = await node.shell(`root=$(mktemp -d)
ctr --namespace ${namespace} images mount --rw ${ref} "$root" >/dev/null
mkdir -p "$root/proc"
mount --bind /proc "$root/proc"
count=0
failed=
for program in $(cd "$root" && find . -xdev -path '*bin/*' ! -type d -perm /111); do
  status=0
  said=$(timeout 120 chroot "$root" "/$program" --help 2>&1 >/dev/null </dev/null) || status=$?
  count=$((count + 1))
  case $status:$said in
    12[5-7]:chroot:* | 124:* | 12[89]:* | 1[3-9]?:*) failed="$failed $program=$status" ;;
  esac
done
umount "$root/proc"
ctr --namespace ${namespace} images unmount --rm "$root" >/dev/null
rmdir "$root"
echo "$count programs$failed"`)
  if (!/^[1-9]\d* programs$/.test(said.trim())) throw new Error(`not all can start: ${said}`)
  return said.trim()
}
