/* Stands for iptables, iptables-save, iptables-restore and the same for IPv6 and runs the one for the backend that the host
 * uses, iptables-nft or iptables-legacy: rules in both would contradict each other. Decided at each call from what the kernel
 * holds, without a state of its own; the order is that of kubernetes-sigs/iptables-wrappers:
 *   1. a chain that kubelet makes for this purpose is in nftables  -> nft
 *   2. a legacy table has rules or chains                          -> legacy
 *   3. nft, or legacy where the kernel has no nftables
 * IPTABLES_MODE=nft or legacy overrides it. */
#define _GNU_SOURCE
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <linux/netlink.h>

/* Appends a netlink attribute that holds a string. */
static void put_string(struct nlmsghdr *message, int type, const char *value)
{
	struct nlattr *attribute = (void *)((char *)message + NLMSG_ALIGN(message->nlmsg_len));
	size_t size = strlen(value) + 1;

	attribute->nla_type = type;
	attribute->nla_len = NLA_HDRLEN + size;
	memcpy((char *)attribute + NLA_HDRLEN, value, size);
	message->nlmsg_len = NLMSG_ALIGN(message->nlmsg_len) + NLA_ALIGN(attribute->nla_len);
}

/* Asks the kernel for a chain of the table mangle that iptables-nft uses: 0, or what the kernel says against it. */
static int nft_chain_error(int family, const char *chain)
{
	union { struct nlmsghdr header; char bytes[4096]; } message = {0};
	struct nfgenmsg *request = NLMSG_DATA(&message.header);
	int error = EIO, netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

	if (netlink < 0)
		return errno;
	message.header.nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN;
	message.header.nlmsg_flags = NLM_F_REQUEST;
	message.header.nlmsg_len = NLMSG_LENGTH(sizeof(*request));
	request->nfgen_family = family;
	request->version = NFNETLINK_V0;
	put_string(&message.header, NFTA_CHAIN_TABLE, "mangle");
	put_string(&message.header, NFTA_CHAIN_NAME, chain);
	if (send(netlink, &message, message.header.nlmsg_len, 0) >= 0 && recv(netlink, &message, sizeof(message), 0) >= 0)
		error = message.header.nlmsg_type == NLMSG_ERROR ? -((struct nlmsgerr *)NLMSG_DATA(&message.header))->error : 0;
	close(netlink);
	return error;
}

static int nft_has_hint(void)
{
	static const char *const chains[] = {"KUBE-IPTABLES-HINT", "KUBE-KUBELET-CANARY"};

	for (int i = 0; i < 2; i++)
		if (!nft_chain_error(NFPROTO_IPV4, chains[i]) || !nft_chain_error(NFPROTO_IPV6, chains[i]))
			return 1;
	return 0;
}

/* The kernel lists the tables that are in use, so asking loads no module. A table in which nobody made a rule or a chain
 * has one entry for each hook and one at its end. */
static int legacy_has_rules(const char *tables, int domain, int level, int option)
{
	union { struct ipt_getinfo v4; struct ip6t_getinfo v6; } info;
	int found = 0, inet = socket(domain, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	FILE *names = fopen(tables, "re");
	char name[XT_TABLE_MAXNAMELEN + 1];

	while (inet >= 0 && names && !found && fgets(name, sizeof(name), names)) {
		socklen_t size = sizeof(info.v4);

		memset(&info, 0, sizeof(info));
		strncpy(info.v4.name, strtok(name, "\n"), sizeof(info.v4.name) - 1);
		/* ip6t_getinfo is laid out like ipt_getinfo. */
		if (!getsockopt(inet, level, option, &info, &size))
			found = info.v4.num_entries > (unsigned)__builtin_popcount(info.v4.valid_hooks) + 1;
	}
	if (names)
		fclose(names);
	if (inet >= 0)
		close(inet);
	return found;
}

static const char *host_mode(void)
{
	int error;

	if (nft_has_hint())
		return "nft";
	if (legacy_has_rules("/proc/net/ip_tables_names", AF_INET, IPPROTO_IP, IPT_SO_GET_INFO) ||
	    legacy_has_rules("/proc/net/ip6_tables_names", AF_INET6, IPPROTO_IPV6, IP6T_SO_GET_INFO))
		return "legacy";
	error = nft_chain_error(NFPROTO_IPV4, "KUBE-IPTABLES-HINT");
	return error == EINVAL || error == EOPNOTSUPP || error == EPROTONOSUPPORT ? "legacy" : "nft";
}

int main(int argc, char **argv)
{
	const char *mode = getenv("IPTABLES_MODE"), *name = basename(argv[0]);
	const char *action = strchrnul(name, '-');
	char *command;

	if (!mode || !*mode || !strcmp(mode, "auto"))
		mode = host_mode();
	if (strcmp(mode, "nft") && strcmp(mode, "legacy")) {
		fprintf(stderr, "%s: IPTABLES_MODE is \"%s\": use nft, legacy or auto\n", name, mode);
		return 2;
	}
	/* iptables-save becomes iptables-nft-save. */
	if (asprintf(&command, "/usr/sbin/%.*s-%s%s", (int)(action - name), name, mode, action) < 0)
		return 1;
	argv[0] = command;
	execv(command, argv);
	fprintf(stderr, "%s: cannot run %s: %s\n", name, command, strerror(errno));
	return 1;
}
