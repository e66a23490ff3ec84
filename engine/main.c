/*
 * main: argv to the command table, exit status out. Everything else is in cmd/.
 */
#include "cmd/command.h"

int main(int argc, char **argv)
{
    return command_main(argc, argv);
}
