"""What does every tracker have to be able to do here? The verbs that an adapter gives."""

from collections import namedtuple

# Each is a callable, the peer's own function wherever its arguments allow, so that nothing of ours adds to its time;
# None where the peer has no such verb.
#
# log_value(key, value, step)   log_step({key: value}, step)   log_param(key, value)   set_tag(key, value)
Verbs = namedtuple("Verbs", ["log_value", "log_step", "log_param", "set_tag"])
