# A regular package, so that one of the same name among the installed ones (sed_eval brings one) is
# not taken for this in the processes that tests start.
