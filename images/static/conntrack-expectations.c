/* libnetfilter_conntrack talks about expectations through libnfnetlink, of which Debian has no static library.
 * kube-proxy never does (it runs `conntrack -D`), so these commands fail here; conntrack's other commands use libmnl. */
#include <errno.h>
#include <stddef.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>

struct nfct_handle *__wrap_nfct_open(uint8_t subsystem, unsigned events)
{
	errno = EOPNOTSUPP;
	return NULL;
}

int __wrap_nfct_close(struct nfct_handle *handle) { return 0; }
int __wrap_nfexp_query(struct nfct_handle *handle, const enum nf_conntrack_query query, const void *data) { return -1; }
int __wrap_nfexp_catch(struct nfct_handle *handle) { return -1; }
int __wrap_nfexp_callback_register(struct nfct_handle *handle, enum nf_conntrack_msg_type type,
	int (*callback)(enum nf_conntrack_msg_type, struct nf_expect *, void *), void *data) { return -1; }
