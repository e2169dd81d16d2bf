//! The drawing of the relations of an item. It needs no script: boxes are links, and what is wider than the page scrolls.

use leptos::prelude::*;
use tenantatlas_store::inventory::{Item, Relations};

use super::layout::{BOX, Layout, Line, Placed, lay_out};
use super::picture::{Drawn, picture};
use crate::address::TenantAddress;
use crate::ui::drawn::Drawn as _;

/// Length and half the width of the head of a line.
const HEAD: (i32, i32) = (9, 4);

/// Draws the relations of an item; nothing where it has none.
pub fn drawing(address: &TenantAddress, item: &Item, relations: &Relations) -> Option<AnyView> {
    let picture = picture(address, item, relations)?;
    let Layout { boxes, lines, width, height } = lay_out(&picture.columns, &picture.lines);
    let lines = lines.iter().zip(&picture.excludes).map(|(line, excludes)| line_view(line, *excludes)).collect_view();
    let boxes = boxes.into_iter().zip(picture.boxes).map(|(placed, drawn)| box_view(placed, drawn)).collect_view();
    Some(
        view! {
            <figure class="relations">
                <div class="relations-scroll" role="group" aria-label="Drawing of the relations, from left to right" tabindex="0">
                    <svg width=width.to_string() height=height.to_string() viewBox=format!("0 0 {width} {height}")>
                        <g aria-hidden="true">{lines}</g>
                        {boxes}
                    </svg>
                </div>
                <figcaption class="quiet-text">
                    "An arrow leads from what refers to what it refers to; a dashed one excludes. The lists below hold the same."
                </figcaption>
            </figure>
        }
        .drawn(),
    )
}

fn line_view(line: &Line, excludes: bool) -> AnyView {
    let (x, y) = line.end;
    let back = if line.leftwards { x + HEAD.0 } else { x - HEAD.0 };
    let head = format!("M{x} {y}L{back} {}L{back} {}Z", y - HEAD.1, y + HEAD.1);
    view! {
        <path class="relation-line" data-excludes=excludes.to_string() d=line.path.clone()></path>
        <path class="relation-head" data-excludes=excludes.to_string() d=head></path>
    }
    .drawn()
}

fn box_view(placed: Placed, drawn: Drawn) -> AnyView {
    let Drawn { name, words, href, look, state } = drawn;
    let title = format!("{name}: {words}");
    let (look, state) = (look.as_str(), state.as_str());
    let inner = view! { <span class="name">{name}</span> <span class="words">{words}</span> };
    let content = match href {
        Some(href) => {
            view! { <a class="relation-box" data-look=look data-state=state href=href title=title>{inner}</a> }.drawn()
        }
        None => view! { <div class="relation-box" data-look=look data-state=state title=title>{inner}</div> }.drawn(),
    };
    view! {
        <foreignObject x=placed.x.to_string() y=placed.y.to_string() width=BOX.0.to_string() height=placed.height.to_string()>
            {content}
        </foreignObject>
    }
    .drawn()
}
