/* One program for several commands, chosen by the name it is called by. commands.h lists them: COMMAND(name). */
#include <libgen.h>
#include <stdio.h>
#include <string.h>

#define COMMAND(name) int name##_main(int, char **);
#include "commands.h"
#undef COMMAND

int main(int argc, char **argv)
{
	const char *called = basename(argv[0]);

#define COMMAND(name) \
	if (!strcmp(called, #name)) \
		return name##_main(argc, argv);
#include "commands.h"
	fprintf(stderr, "%s: no such command here\n", called);
	return 127;
}
