"""Camera frames composed of photographs, to calibrate and to judge detectors on."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

# Longer side at which faces are looked for in photographs, pixels.
PHOTO_SIDE = 640
WIDTH, HEIGHT = 960, 544
CONDITIONS = {
    "clear": {},
    "dim": {"light": 0.22, "noise": 4.0},
    "noisy": {"noise": 12.0},
    "blurred": {"smear": 0.12},
    "bright": {"light": 1.5},
    "compressed": {"quality": 30},
}


def photographs(folder):
    """Every photograph once, in the order of names."""
    files = [path for path in Path(folder).rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png")]
    by_name = {path.name: path for path in sorted(files, reverse=True)}
    return [Image.open(by_name[name]).convert("RGB") for name in sorted(by_name)]


def padded(picture):
    """The picture scaled down, on a canvas whose sides are multiples of 32, as an array."""
    picture = picture.copy()
    picture.thumbnail((PHOTO_SIDE, PHOTO_SIDE), Image.Resampling.BOX)
    canvas = Image.new("RGB", ((picture.width + 31) // 32 * 32, (picture.height + 31) // 32 * 32))
    canvas.paste(picture)
    return np.asarray(canvas)


class Head:
    """A square of twice the side of a face around it."""

    def __init__(self, picture, box, landmarks):
        left, top, right, bottom = box
        side = max(right - left, bottom - top)
        corner = np.array([(left + right) / 2 - side, (top + bottom) / 2 - side])
        area = (*corner, *(corner + 2 * side))
        self.picture = picture.crop([int(round(value)) for value in area])
        # In units of the square's side.
        self.box = (np.array(box).reshape(2, 2) - corner) / (2 * side)
        self.landmarks = (landmarks - corner) / (2 * side)


def heads(picture, find):
    """The heads in a photograph; `find(array)` gives boxes and landmarks in it."""
    pixels = padded(picture)
    scale = max(picture.size) / min(PHOTO_SIDE, max(picture.size))
    for box, landmarks in find(pixels):
        box, landmarks = np.array(box) * scale, np.array(landmarks) * scale
        inside = box.min() >= 0 and box[2] <= picture.width and box[3] <= picture.height
        if inside and min(box[2] - box[0], box[3] - box[1]) >= 60:
            yield Head(picture, box, landmarks)


def background(photograph, random):
    """A blurred photograph with edges as a street has them."""
    small = photograph.resize((WIDTH // 32, HEIGHT // 32), Image.Resampling.BOX)
    scene = np.asarray(small.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)).astype(np.float32)
    for _ in range(25):
        x, y = random.integers(WIDTH), random.integers(HEIGHT)
        width, height = random.integers(8, WIDTH // 8), random.integers(8, HEIGHT // 5)
        scene[y : y + height, x : x + width] += random.uniform(-45, 45, 3).astype(np.float32)
    return scene.clip(0, 255)


def smeared(pixels, length):
    """Moved by `length` pixels to the side during the exposure."""
    return np.mean([np.roll(pixels, step - length // 2, axis=1) for step in range(length)], axis=0)


def paste(scene, head, centre, face_width, smear):
    """Draw a head; gives its box and landmarks in the scene."""
    side = max(4, round(face_width / (head.box[1, 0] - head.box[0, 0])))
    filter = Image.Resampling.BOX if side < head.picture.width else Image.Resampling.BILINEAR
    pixels = np.asarray(head.picture.resize((side, side), filter)).astype(np.float32)
    grid = (np.arange(side) + 0.5) / side * 2 - 1
    mask = ((1 - np.hypot(grid[None], grid[:, None])) / 0.15).clip(0, 1).astype(np.float32)[:, :, None]
    if smear:
        length = max(1, round(smear * face_width))
        pixels, mask = smeared(pixels, length), smeared(mask, length)
    corner = np.round(np.array(centre) - side / 2).astype(int)
    left, top = corner.clip(0)
    right, bottom = np.minimum(corner + side, (WIDTH, HEIGHT))
    part = np.s_[top - corner[1] : bottom - corner[1], left - corner[0] : right - corner[0]]
    area = scene[top:bottom, left:right]
    area[:] = pixels[part] * mask[part] + area * (1 - mask[part])
    return head.box * side + corner, head.landmarks * side + corner


def places(face_width, count, random):
    """Centres of heads that do not cover each other."""
    chosen = []
    for _ in range(400):
        place = random.uniform([face_width, face_width], [WIDTH - face_width, HEIGHT - face_width])
        if all(np.hypot(*(place - other)) > 2 * face_width for other in chosen):
            chosen.append(place)
        if len(chosen) == count:
            break
    return chosen


def composed(all_heads, photographs, face_width, condition, random, count=12):
    """A frame u8 [HEIGHT, WIDTH, 3] with heads of about one size, and where its faces are: box and landmarks."""
    options = CONDITIONS[condition]
    scene = background(photographs[random.integers(len(photographs))], random)
    truth = []
    for place in places(face_width, count, random):
        head = all_heads[random.integers(len(all_heads))]
        width = face_width * random.uniform(0.85, 1.15)
        truth.append(paste(scene, head, place, width, options.get("smear", 0)))
    scene = scene * options.get("light", 1.0) + random.normal(0, options.get("noise", 1.5), scene.shape)
    frame = scene.clip(0, 255).astype(np.uint8)
    if "quality" in options:
        file = io.BytesIO()
        Image.fromarray(frame).save(file, "JPEG", quality=options["quality"])
        frame = np.asarray(Image.open(file))
    return frame, truth
