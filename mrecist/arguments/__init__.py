"""The arguments of the commands, in modules named like those of mrecist.commands; docs/commands.md documents every one."""
