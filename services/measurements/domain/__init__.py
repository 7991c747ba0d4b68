"""The rules: how events make a case, which events are taken, how a file's rows become events."""
