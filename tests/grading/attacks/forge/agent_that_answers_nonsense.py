"""An agent that answers with structures that fit no format.

Loses: raised ramp after count loose
"""

# %%
import itertools

deep = []
for _ in range(400):
    deep = [deep]
nonsense = itertools.cycle(
    [
        {"tensor": "float32", "shape": [-1], "buffer": 0},
        {"tensor": "float32", "shape": [2**62, 2**62], "buffer": 0},
        {"tensor": "float32", "shape": [2], "buffer": 99},
        {"tensor": "object", "shape": [2], "buffer": 0},
        {"tensor": ["float32"], "shape": {"a": 1}, "buffer": None},
        {"numpy": {"tensor": "bfloat16", "shape": [2], "buffer": 0}},
        {"kept": {"handle": "x" * 1000}},
        {"kept": 7},
        {"list": 5},
        {"dict": [[{"list": []}, None]]},
        {"int": "9" * 5000},
        {"float": "not a number"},
        {"list": deep},
        {"unheard of": 1},
        [],
        7,
    ]
)
agent = get_ipython().kernel._course_agent
asked = agent._do


def answer(request, values):
    if request["op"] == "kind":
        return asked(request, values)
    return {"value": next(nonsense)}, [b"1234"]


agent._do = answer
