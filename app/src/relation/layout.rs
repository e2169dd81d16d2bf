//! Where the boxes and lines of a drawing of relations stand: columns from left to right, each line from what refers to what
//! it refers to.
//!
//! A small layered layout after Sugiyama: the column of each box is given; lines that cross columns get a place of their own
//! in each; the order within columns is improved by barycentres, sweep by sweep, and the order with the fewest crossings
//! wins. Nothing is random, so that the same relations are drawn the same way.

/// Height of a box without many lines, and the width of every box; units are CSS pixels.
pub const BOX: (i32, i32) = (220, 46);
/// Space between boxes of a column.
const GAP: i32 = 10;
/// Space between columns, in which lines turn.
const LANE: i32 = 76;
/// Space that a line takes which passes a column.
const PASSING: i32 = 8;
/// Space between lines that end at the same side of a box.
const PORT: i32 = 9;
/// Room around the drawing, for lines that bulge and for the mark of focus.
const MARGIN: i32 = 12;
/// How far lines bulge that begin and end in the same column.
const BULGE: i32 = 44;
/// Sweeps through the columns, there and back.
const SWEEPS: usize = 8;

/// The place of a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// The left edge.
    pub x: i32,
    /// The upper edge.
    pub y: i32,
    /// The height; the width is that of every box.
    pub height: i32,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its path, as SVG writes it.
    pub path: String,
    /// Where it ends.
    pub end: (i32, i32),
    /// Whether it arrives from the right.
    pub leftwards: bool,
}

/// A drawing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    /// The boxes, in the order in which they were given.
    pub boxes: Vec<Placed>,
    /// The lines, in the order in which they were given.
    pub lines: Vec<Line>,
    /// The width of everything.
    pub width: i32,
    /// The height of everything.
    pub height: i32,
}

/// Lays boxes out, of which each has its column, with lines from one box to another. Lines that name no box are drawn from
/// and to the first one.
#[must_use]
pub fn lay_out(columns: &[usize], lines: &[(usize, usize)]) -> Layout {
    if columns.is_empty() {
        return Layout::default();
    }
    let known = |one: usize| if one < columns.len() { one } else { 0 };
    let lines: Vec<(usize, usize)> = lines.iter().map(|(from, to)| (known(*from), known(*to))).collect();
    let mut graph = Graph::of(columns, &lines);
    graph.order();
    graph.drawn(&lines)
}

/// Boxes and the places where lines pass columns; the boxes come first.
struct Graph {
    boxes: usize,
    column: Vec<usize>,
    height: Vec<i32>,
    /// What stands in each column, from above.
    stacks: Vec<Vec<usize>>,
    /// For each line what it goes through, from left to right.
    chains: Vec<Vec<usize>>,
    /// What each is joined with at its left side, and at its right: the other end, and by which line.
    left: Vec<Vec<(usize, usize)>>,
    right: Vec<Vec<(usize, usize)>>,
}

impl Graph {
    fn of(columns: &[usize], lines: &[(usize, usize)]) -> Self {
        let count = columns.iter().max().map_or(0, |last| last + 1);
        let mut graph = Self {
            boxes: columns.len(),
            column: columns.to_vec(),
            height: vec![BOX.1; columns.len()],
            stacks: vec![Vec::new(); count],
            chains: Vec::new(),
            left: vec![Vec::new(); columns.len()],
            right: vec![Vec::new(); columns.len()],
        };
        for (one, column) in columns.iter().enumerate() {
            graph.stacks[*column].push(one);
        }
        for (line, (from, to)) in lines.iter().enumerate() {
            let chain = graph.chain(line, *from, *to);
            graph.chains.push(chain);
        }
        // A box grows with the lines that end at one of its sides, so that each can be followed.
        for one in 0..graph.boxes {
            let ends = graph.left[one].len().max(graph.right[one].len());
            let needed = PORT.saturating_mul(i32::try_from(ends + 1).unwrap_or(i32::MAX));
            graph.height[one] = needed.max(BOX.1);
        }
        graph
    }

    /// What a line goes through: its ends, and a place in each column between them.
    fn chain(&mut self, line: usize, from: usize, to: usize) -> Vec<usize> {
        let (start, end) = if self.column[from] <= self.column[to] { (from, to) } else { (to, from) };
        let mut chain = vec![start];
        for column in self.column[start] + 1..self.column[end] {
            let passing = self.column.len();
            self.column.push(column);
            self.height.push(PASSING);
            self.left.push(Vec::new());
            self.right.push(Vec::new());
            self.stacks[column].push(passing);
            chain.push(passing);
        }
        if self.column[start] == self.column[end] {
            if from != to {
                // Such a line is drawn on the left side of both.
                self.left[from].push((to, line));
                self.left[to].push((from, line));
            }
        } else {
            chain.push(end);
            for pair in chain.windows(2) {
                self.right[pair[0]].push((pair[1], line));
                self.left[pair[1]].push((pair[0], line));
            }
        }
        chain
    }

    /// The place of each in its column.
    fn places(&self) -> Vec<usize> {
        let mut places = vec![0; self.column.len()];
        for stack in &self.stacks {
            for (place, one) in stack.iter().enumerate() {
                places[*one] = place;
            }
        }
        places
    }

    /// How often lines cross.
    fn crossings(&self) -> usize {
        let places = self.places();
        let mut crossings = 0;
        for stack in &self.stacks {
            let mut joints: Vec<(usize, usize)> = stack
                .iter()
                .flat_map(|one| self.right[*one].iter().map(|(other, _)| (places[*one], places[*other])))
                .collect();
            joints.sort_unstable();
            for (at, joint) in joints.iter().enumerate() {
                crossings += joints[at + 1..].iter().filter(|later| later.0 > joint.0 && later.1 < joint.1).count();
            }
        }
        crossings
    }

    /// Sorts the columns for few crossings.
    fn order(&mut self) {
        let mut best = (self.crossings(), self.stacks.clone());
        for sweep in 0..SWEEPS * 2 {
            let rightwards = sweep % 2 == 0;
            let count = self.stacks.len();
            for step in 1..count {
                let column = if rightwards { step } else { count - 1 - step };
                self.sort(column, rightwards);
            }
            let crossings = self.crossings();
            if crossings < best.0 {
                best = (crossings, self.stacks.clone());
            }
        }
        self.stacks = best.1;
    }

    /// Sorts a column by the mean place of what each is joined with on one side; what is joined with nothing there keeps its
    /// place.
    fn sort(&mut self, column: usize, by_left: bool) {
        let places = self.places();
        let joined = if by_left { &self.left } else { &self.right };
        // A line that begins and ends in one column tells nothing of the place.
        let mean = |one: &usize| -> (usize, usize) {
            let others = joined[*one].iter().filter(|(other, _)| self.column[*other] != column);
            let others: Vec<usize> = others.map(|(other, _)| places[*other]).collect();
            match others.len() {
                0 => (places[*one] * 1_000, places[*one]),
                count => (others.iter().sum::<usize>() * 1_000 / count, places[*one]),
            }
        };
        let mut stack = self.stacks[column].clone();
        stack.sort_by_key(mean);
        self.stacks[column] = stack;
    }

    fn drawn(&self, lines: &[(usize, usize)]) -> Layout {
        let tall = |stack: &Vec<usize>| {
            let gaps = GAP * i32::try_from(stack.len().saturating_sub(1)).unwrap_or_default();
            stack.iter().map(|one| self.height[*one]).sum::<i32>() + gaps
        };
        let tallest = self.stacks.iter().map(tall).max().unwrap_or_default();
        let bulge = if self.bulges(lines) { BULGE } else { 0 };
        let beyond = if self.stands_out(lines) { BULGE } else { 0 };
        let mut spots = vec![Placed { x: 0, y: 0, height: 0 }; self.column.len()];
        for (column, stack) in self.stacks.iter().enumerate() {
            let x = MARGIN + bulge + i32::try_from(column).unwrap_or_default() * (BOX.0 + LANE);
            let mut y = MARGIN + (tallest - tall(stack)) / 2;
            for one in stack {
                spots[*one] = Placed { x, y, height: self.height[*one] };
                y += self.height[*one] + GAP;
            }
        }
        let ports = Ports::of(self, &spots);
        let lines =
            lines.iter().enumerate().map(|(at, (from, to))| self.line(at, *from, *to, &spots, &ports)).collect();
        let columns = i32::try_from(self.stacks.len()).unwrap_or(1);
        // A line from a box to itself stands out on the right, where there is no lane behind the last column.
        let width = 2 * MARGIN + bulge + columns * BOX.0 + (columns - 1) * LANE + beyond;
        spots.truncate(self.boxes);
        Layout { boxes: spots, lines, width, height: tallest + 2 * MARGIN }
    }

    /// Whether a line from a box to itself stands out behind the last column.
    fn stands_out(&self, lines: &[(usize, usize)]) -> bool {
        lines.iter().any(|(from, to)| from == to && self.column[*from] + 1 == self.stacks.len())
    }

    /// Whether a line stands out to the left of the first column.
    fn bulges(&self, lines: &[(usize, usize)]) -> bool {
        lines.iter().any(|(from, to)| from != to && self.column[*from] == 0 && self.column[*to] == 0)
    }

    fn line(&self, line: usize, from: usize, to: usize, spots: &[Placed], ports: &Ports) -> Line {
        let chain = &self.chains[line];
        if from == to {
            let Placed { x, y, height } = spots[from];
            let (right, upper, lower) = (x + BOX.0, y + height / 4, y + height - height / 4);
            let far = right + BULGE - 8;
            let path = format!("M{right} {upper}C{far} {upper} {far} {lower} {right} {lower}");
            return Line { path, end: (right, lower), leftwards: true };
        }
        if chain.len() == 1 {
            let (begin, end) = ((spots[from].x, ports.left(from, line)), (spots[to].x, ports.left(to, line)));
            let far = begin.0 - BULGE + 8;
            let path = format!("M{} {}C{far} {} {far} {} {} {}", begin.0, begin.1, begin.1, end.1, end.0, end.1);
            return Line { path, end, leftwards: false };
        }
        let mut points = Vec::new();
        for pair in chain.windows(2) {
            points.push((spots[pair[0]].x + BOX.0, ports.right(pair[0], line)));
            points.push((spots[pair[1]].x, ports.left(pair[1], line)));
        }
        let leftwards = chain.first() != Some(&from);
        if leftwards {
            points.reverse();
        }
        let mut path = format!("M{} {}", points[0].0, points[0].1);
        for (at, point) in points.iter().enumerate().skip(1) {
            let before = points[at - 1];
            if at % 2 == 0 {
                path.push_str(&format!("L{} {}", point.0, point.1));
            } else {
                let middle = i32::midpoint(before.0, point.0);
                path.push_str(&format!("C{middle} {} {middle} {} {} {}", before.1, point.1, point.0, point.1));
            }
        }
        Line { path, end: *points.last().unwrap_or(&(0, 0)), leftwards }
    }
}

/// At which height lines end at the sides of boxes, by line: those to what stands higher end higher.
struct Ports {
    left: Vec<Vec<(usize, i32)>>,
    right: Vec<Vec<(usize, i32)>>,
}

impl Ports {
    fn of(graph: &Graph, spots: &[Placed]) -> Self {
        let side = |joined: &Vec<Vec<(usize, usize)>>| {
            let ports = joined.iter().enumerate().map(|(one, others)| {
                let mut others = others.clone();
                others.sort_by_key(|(other, line)| (spots[*other].y + spots[*other].height / 2, *line));
                let parts = i32::try_from(others.len() + 1).unwrap_or(1);
                let Placed { y, height, .. } = spots[one];
                let at = |index: usize| y + height * i32::try_from(index + 1).unwrap_or(1) / parts;
                others.into_iter().enumerate().map(|(index, (_, line))| (line, at(index))).collect()
            });
            ports.collect()
        };
        Self { left: side(&graph.left), right: side(&graph.right) }
    }

    fn left(&self, one: usize, line: usize) -> i32 {
        Self::find(&self.left[one], line)
    }

    fn right(&self, one: usize, line: usize) -> i32 {
        Self::find(&self.right[one], line)
    }

    fn find(ports: &[(usize, i32)], line: usize) -> i32 {
        ports.iter().find(|(joined, _)| *joined == line).map_or(0, |(_, y)| *y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No box stands over another one or beyond the edge.
    fn is_tidy(layout: &Layout) {
        for (at, one) in layout.boxes.iter().enumerate() {
            assert!(one.x >= 0 && one.y >= 0 && one.x + BOX.0 <= layout.width && one.y + one.height <= layout.height);
            for other in &layout.boxes[at + 1..] {
                let apart = one.x + BOX.0 <= other.x
                    || other.x + BOX.0 <= one.x
                    || one.y + one.height <= other.y
                    || other.y + other.height <= one.y;
                assert!(apart, "{one:?} {other:?}");
            }
        }
        for line in &layout.lines {
            assert!(line.path.starts_with('M') && !line.path.contains("--"), "{}", line.path);
            assert!((0..=layout.width).contains(&line.end.0) && (0..=layout.height).contains(&line.end.1), "{line:?}");
        }
    }

    /// One box with so many on its left, and as many on its right.
    fn star(each: usize) -> (Vec<usize>, Vec<(usize, usize)>) {
        let mut columns = vec![1];
        let mut lines = Vec::new();
        for _ in 0..each {
            columns.extend([0, 2]);
            lines.extend([(columns.len() - 2, 0), (0, columns.len() - 1)]);
        }
        (columns, lines)
    }

    #[test]
    fn nothing_one_fifty_and_two_hundred_lines_are_laid_out_without_overlap() {
        assert_eq!(lay_out(&[], &[]), Layout::default());
        let alone = lay_out(&[0], &[]);
        assert_eq!((alone.boxes.len(), alone.lines.len()), (1, 0));
        is_tidy(&alone);
        for each in [1, 25, 100] {
            let (columns, lines) = star(each);
            let layout = lay_out(&columns, &lines);
            assert_eq!((layout.boxes.len(), layout.lines.len()), (2 * each + 1, 2 * each));
            is_tidy(&layout);
            let middle = layout.boxes[0].y + layout.boxes[0].height / 2;
            assert!((middle - layout.height / 2).abs() <= 1, "what is asked about stands in the middle");
            assert!(layout.lines.iter().all(|line| !line.leftwards));
            let mut ends: Vec<_> = layout.lines.iter().map(|line| line.end).collect();
            ends.sort_unstable();
            ends.dedup();
            assert_eq!(ends.len(), 2 * each, "no two lines end at the same point");
        }
    }

    #[test]
    fn lines_end_at_the_sides_of_their_boxes() {
        let layout = lay_out(&[0, 1], &[(0, 1), (1, 0)]);
        is_tidy(&layout);
        let (first, second) = (layout.boxes[0], layout.boxes[1]);
        assert_eq!((layout.lines[0].end.0, layout.lines[0].leftwards), (second.x, false));
        assert_eq!((layout.lines[1].end.0, layout.lines[1].leftwards), (first.x + BOX.0, true), "back to what refers");
        assert_ne!(layout.lines[0].end.1, layout.lines[1].end.1, "both can be seen");
    }

    #[test]
    fn a_circle_and_a_reference_to_itself_are_drawn() {
        let layout = lay_out(&[0, 1, 1, 2], &[(0, 1), (1, 3), (3, 0), (1, 1), (1, 2), (2, 1)]);
        is_tidy(&layout);
        let box_of_itself = layout.boxes[1];
        assert_eq!(layout.lines[3].end.0, box_of_itself.x + BOX.0, "it comes back to its own right side");
        assert_eq!(layout.lines[4].end.0, layout.boxes[2].x, "within a column along the left");
        assert!(layout.lines[2].leftwards);
        assert_eq!(
            layout.lines[2].path.matches('C').count(),
            2,
            "across a column in two turns: {}",
            layout.lines[2].path
        );
    }

    #[test]
    fn the_order_in_columns_leaves_few_crossings() {
        // Given upside down, so that every line crosses every other one.
        let columns: Vec<usize> = (0..20).map(|one| one / 10).collect();
        let lines: Vec<(usize, usize)> = (0..10).map(|one| (one, 19 - one)).collect();
        let mut graph = Graph::of(&columns, &lines);
        assert_eq!(graph.crossings(), 45);
        graph.order();
        assert_eq!(graph.crossings(), 0);
    }

    #[test]
    fn a_line_passes_columns_beside_their_boxes() {
        let columns = [0, 1, 1, 1, 2];
        let layout = lay_out(&columns, &[(0, 1), (0, 2), (0, 3), (1, 4), (2, 4), (3, 4), (0, 4)]);
        is_tidy(&layout);
        let through: Vec<i32> = layout.lines[6]
            .path
            .split('L')
            .nth(1)
            .and_then(|rest| rest.split(['C', ' ']).nth(1)?.parse().ok())
            .into_iter()
            .collect();
        let [height] = through.as_slice() else { panic!("{}", layout.lines[6].path) };
        let free = layout.boxes[1..4].iter().all(|one| *height < one.y || *height > one.y + one.height);
        assert!(free, "{height} {:?}", layout.boxes);
    }

    #[test]
    fn the_same_relations_are_drawn_the_same_way_and_nonsense_is_drawn_too() {
        let (columns, lines) = star(30);
        assert_eq!(lay_out(&columns, &lines), lay_out(&columns, &lines));
        is_tidy(&lay_out(&[0, 1], &[(0, 9), (9, 1)]));
        // Dense: 20 boxes in four columns, each joined with ten others in all directions.
        let columns: Vec<usize> = (0..20).map(|one| one % 4).collect();
        let lines: Vec<(usize, usize)> =
            (0..20).flat_map(|one| (1..=10).map(move |step| (one, (one * 7 + step * 3) % 20))).collect();
        assert_eq!(lines.len(), 200);
        is_tidy(&lay_out(&columns, &lines));
    }
}
