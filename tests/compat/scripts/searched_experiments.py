"""Experiments looked for."""

from observing import mlflow, note, trial

for name in ("apple", "banana", "Cherry"):
    mlflow.create_experiment(name, tags={"kind": name[0]})


def names(**more):
    return [each.name for each in mlflow.search_experiments(**more)]


for text in (
    "name = 'apple'",
    "name LIKE 'b%'",
    "name ILIKE 'c%'",
    "tags.kind = 'b'",
    "name != 'apple'",
    "name LIKE '%an%'",
):
    note(text, sorted(names(filter_string=text)))
for order in (["name"], ["name DESC"]):
    note(" and ".join(order), names(order_by=order))
times = [each.creation_time for each in mlflow.search_experiments(order_by=["creation_time DESC"])]
note("newest first", times == sorted(times, reverse=True))
trial("bad", names, filter_string="colour = 'red'")
