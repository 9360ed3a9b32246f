"""The README's pictures, from the last test run's screenshots: `python docs/pictures/make.py`."""

from pathlib import Path

from PIL import Image

HERE = Path(__file__).resolve().parent
SCREENSHOTS = HERE.parent.parent / "build" / "screenshots"
# Picture: screenshot, and the part of it that is shown (left, top, right, bottom; None: all).
PICTURES = {
    "notebook": ("student-notebook", None),
    "formgrader": ("instructor-submissions", (290, 60, 1462, 690)),
    "feedback": ("student-feedback", (160, 0, 940, 1150)),
}
LARGEST = 200_000  # bytes


def main() -> None:
    """Crop each screenshot, and write it with 256 colours, which is plenty and small."""
    for name, (screenshot, part) in PICTURES.items():
        picture = Image.open(SCREENSHOTS / f"{screenshot}.png").convert("RGB")
        path = HERE / f"{name}.png"
        picture.crop(part or (0, 0, *picture.size)).quantize(256).save(path, optimize=True)
        assert path.stat().st_size < LARGEST, f"{path.name} is too large"


if __name__ == "__main__":
    main()
