//! Points and boxes in picture pixels, origin top left.

/// A point.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Point {
    /// Pixels from the left edge.
    pub x: f32,
    /// Pixels from the top edge.
    pub y: f32,
}

/// A box: `left <= right`, `top <= bottom`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rect {
    /// Left edge.
    pub left: f32,
    /// Top edge.
    pub top: f32,
    /// Right edge.
    pub right: f32,
    /// Bottom edge.
    pub bottom: f32,
}

impl Rect {
    /// A box from its edges.
    pub fn new(left: f32, top: f32, right: f32, bottom: f32) -> Self {
        Self { left, top, right, bottom }
    }

    /// Pixels from left to right.
    pub fn width(&self) -> f32 {
        (self.right - self.left).max(0.0)
    }

    /// Pixels from top to bottom.
    pub fn height(&self) -> f32 {
        (self.bottom - self.top).max(0.0)
    }

    /// Width times height.
    pub fn area(&self) -> f32 {
        self.width() * self.height()
    }

    /// The centre.
    pub fn center(&self) -> Point {
        Point { x: (self.left + self.right) / 2.0, y: (self.top + self.bottom) / 2.0 }
    }

    /// Whether the point lies inside or on the edge.
    pub fn contains(&self, point: Point) -> bool {
        (self.left..=self.right).contains(&point.x) && (self.top..=self.bottom).contains(&point.y)
    }

    /// Intersection over union with `other`, 0..=1.
    pub fn overlap(&self, other: &Self) -> f32 {
        let shared = self.clamped_to(other).area();
        let union = self.area() + other.area() - shared;
        if union > 0.0 { shared / union } else { 0.0 }
    }

    /// The part of this box inside `bounds`; empty when they do not touch.
    #[must_use]
    pub fn clamped_to(&self, bounds: &Self) -> Self {
        let left = self.left.max(bounds.left);
        let top = self.top.max(bounds.top);
        Self {
            left,
            top,
            right: self.right.min(bounds.right).max(left),
            bottom: self.bottom.min(bounds.bottom).max(top),
        }
    }

    /// Whether the whole of `other` lies inside or on the edge.
    pub fn encloses(&self, other: &Self) -> bool {
        self.left <= other.left && self.top <= other.top && other.right <= self.right && other.bottom <= self.bottom
    }

    /// Whether the boxes have a point in common.
    pub fn touches(&self, other: &Self) -> bool {
        self.left <= other.right && other.left <= self.right && self.top <= other.bottom && other.top <= self.bottom
    }

    /// The smallest box around both.
    #[must_use]
    pub fn joined(&self, other: &Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    /// This box with `by` pixels more on every side.
    #[must_use]
    pub fn widened(&self, by: f32) -> Self {
        Self::new(self.left - by, self.top - by, self.right + by, self.bottom + by)
    }

    /// This box scaled by `factor` about its centre.
    #[must_use]
    pub fn scaled(&self, factor: f32) -> Self {
        let Point { x, y } = self.center();
        let (half_width, half_height) = (self.width() * factor / 2.0, self.height() * factor / 2.0);
        Self::new(x - half_width, y - half_height, x + half_width, y + half_height)
    }

    /// This box moved by `dx`, `dy`.
    #[must_use]
    pub fn shifted(&self, dx: f32, dy: f32) -> Self {
        Self::new(self.left + dx, self.top + dy, self.right + dx, self.bottom + dy)
    }
}
