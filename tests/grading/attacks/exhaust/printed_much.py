"""A cell that prints a hundred megabytes, and shows a thousand pictures."""

# %%
from IPython.display import display

for _ in range(100):
    print("x" * 1_000_000)
for i in range(1000):
    display({"text/html": f"<p>{i}" + "y" * 1000}, raw=True)
