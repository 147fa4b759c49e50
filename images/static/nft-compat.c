/*
 * Beside nft: leaves the notes "typeof" out of the sets and maps that it makes. nft below 1.1.2 ends with a segmentation fault on every
 * command where a set in the kernel has one as newer versions write it, so that a kube-proxy in nftables mode would take nft away from
 * the node's own services (kubernetes/kubernetes#136786). The note only tells a listing how the set was declared.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <libnftnl/set.h>
#include <libnftnl/udata.h>
#include <string.h>

/* Of notes, each a byte with its type, one with its length, and the value. */
static uint32_t without_typeof(const uint8_t *from, uint32_t length, uint8_t *to)
{
	uint32_t kept = 0;

	for (uint32_t at = 0; at + 2 <= length;) {
		uint32_t size = 2u + from[at + 1];

		if (size > length - at)
			break;
		if (from[at] != NFTNL_UDATA_SET_KEY_TYPEOF && from[at] != NFTNL_UDATA_SET_DATA_TYPEOF) {
			memcpy(to + kept, from + at, size);
			kept += size;
		}
		at += size;
	}
	return kept;
}

int nftnl_set_set_data(struct nftnl_set *set, uint16_t attribute, const void *data, uint32_t length)
{
	int (*next)(struct nftnl_set *, uint16_t, const void *, uint32_t) = dlsym(RTLD_NEXT, "nftnl_set_set_data");
	uint8_t notes[1024]; /* the kernel takes 256 */

	if (attribute == NFTNL_SET_USERDATA && length <= sizeof(notes)) {
		length = without_typeof(data, length, notes);
		data = notes;
	}
	return next(set, attribute, data, length);
}
