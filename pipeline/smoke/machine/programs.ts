import type { Node } from '../node.js'

/**
 * Starts every program of an image that a node has in a namespace of containerd, with the image's own files around it; tells how many. Throws with the names of those
 * that this processor or kernel cannot run: statuses of a shell and of `timeout`, from 124 on.
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
  timeout 120 chroot "$root" "/$program" --help </dev/null >/dev/null 2>&1 || status=$?
  count=$((count + 1))
  [ "$status" -lt 124 ] || [ "$status" = 255 ] || failed="$failed $program=$status"
done
umount "$root/proc"
ctr --namespace ${namespace} images unmount --rm "$root" >/dev/null
rmdir "$root"
echo "$count programs$failed"`)
  if (!/^[1-9]\d* programs$/.test(said.trim())) throw new Error(`not all can start: ${said}`)
  return said.trim()
}
