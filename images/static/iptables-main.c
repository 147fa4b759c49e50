/* One program for both backends of iptables: they share libxtables, the extensions and libc. */
#define _GNU_SOURCE
#define ENABLE_NFTABLES
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "xshared.h"
#include "xtables-multi.h"
#include "iptables-multi.h"
#include "ip6tables-multi.h"

#define COMMANDS(name, backend, command, save, restore) \
	{name "-" backend, command}, {name "-" backend "-save", save}, {name "-" backend "-restore", restore}

static const struct subcommand nft[] = {
	COMMANDS("iptables", "nft", xtables_ip4_main, xtables_ip4_save_main, xtables_ip4_restore_main),
	COMMANDS("ip6tables", "nft", xtables_ip6_main, xtables_ip6_save_main, xtables_ip6_restore_main),
	COMMANDS("ebtables", "nft", xtables_eb_main, xtables_eb_save_main, xtables_eb_restore_main),
	{"ebtables", xtables_eb_main}, {"ebtables-save", xtables_eb_save_main}, {"ebtables-restore", xtables_eb_restore_main},
	{NULL},
};

static const struct subcommand legacy[] = {
	COMMANDS("iptables", "legacy", iptables_main, iptables_save_main, iptables_restore_main),
	COMMANDS("ip6tables", "legacy", ip6tables_main, ip6tables_save_main, ip6tables_restore_main),
	{NULL},
};

int main(int argc, char **argv)
{
	return subcmd_main(argc, argv, strstr(basename(argv[0]), "-legacy") ? legacy : nft);
}
