//! A scenario file as it is written; `tests/scenarios/README.md` describes it.

/// What a file asks for.
#[derive(Debug, Default)]
pub(super) struct Script {
    pub(super) steps: Vec<Step>,
    /// Elasticsearch answers otherwise, for a reason that the file gives.
    pub(super) node_only: bool,
    /// The node's clock at the start, if it stands still.
    pub(super) clock_ms: Option<i64>,
}

#[derive(Debug)]
pub(super) struct Step {
    /// Of its first line, from 1.
    pub(super) line: usize,
    pub(super) action: Action,
}

#[derive(Debug)]
pub(super) enum Action {
    Call(Call),
    /// Sets the node's clock, milliseconds since 1970.
    Clock(i64),
}

#[derive(Debug)]
pub(super) struct Call {
    /// Asked again and again until it is as expected.
    pub(super) until: bool,
    pub(super) user: Option<String>,
    pub(super) method: String,
    pub(super) target: String,
    /// Header lines without line end.
    pub(super) headers: Vec<String>,
    pub(super) body: Vec<BodyLine>,
    /// Three characters; `x` is any digit.
    pub(super) status: String,
    /// Line number and text.
    pub(super) expectations: Vec<(usize, String)>,
}

#[derive(Debug)]
pub(super) enum BodyLine {
    Text(String),
    /// `lines` once for each value of `name`.
    Each {
        name: String,
        from: i64,
        to: i64,
        lines: Vec<String>,
    },
}

type Lines<'a> = std::iter::Peekable<std::iter::Enumerate<std::str::Lines<'a>>>;

impl Script {
    /// # Errors
    /// Line number and problem.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut script = Self::default();
        let mut lines = text.lines().enumerate().peekable();
        while let Some((index, line)) = lines.next() {
            let number = index + 1;
            let action = match line.split_once(' ').unwrap_or((line, "")) {
                ("", "") | ("#", _) => continue,
                ("node", "only") => {
                    script.node_only = true;
                    continue;
                }
                ("clock", time) => {
                    let time = time.parse::<jiff::Timestamp>().map_err(|problem| format!("{number}: {problem}"))?;
                    let time_ms = time.as_millisecond();
                    script.clock_ms.get_or_insert(time_ms);
                    Action::Clock(time_ms)
                }
                _ => Action::Call(call(line, number, &mut lines)?),
            };
            script.steps.push(Step { line: number, action });
        }
        Ok(script)
    }
}

fn call(first: &str, number: usize, lines: &mut Lines<'_>) -> Result<Call, String> {
    let (until, rest) = first.strip_prefix("until ").map_or((false, first), |rest| (true, rest));
    let (user, rest) = match rest.strip_prefix("as ").and_then(|rest| rest.split_once(' ')) {
        Some((user, rest)) => (Some(user.to_owned()), rest),
        None => (None, rest),
    };
    let (method, target) = rest.split_once(' ').ok_or_else(|| format!("{number}: [{rest}] is no request line"))?;
    let mut headers = Vec::new();
    while let Some((_, line)) = lines.next_if(|(_, line)| is_header(line)) {
        headers.push(line.to_owned());
    }
    let (body, status) = body(number, lines)?;
    let mut expectations = Vec::new();
    while let Some((index, line)) = lines.next_if(|(_, line)| line.starts_with(' ')) {
        expectations.push((index + 1, line.trim().to_owned()));
    }
    let (method, target) = (method.to_owned(), target.to_owned());
    Ok(Call { until, user, method, target, headers, body, status, expectations })
}

/// The lines up to `=> STATUS`, and that status.
fn body(number: usize, lines: &mut Lines<'_>) -> Result<(Vec<BodyLine>, String), String> {
    let mut body = Vec::new();
    loop {
        let line = match lines.next() {
            Some((_, line)) if !line.is_empty() => line,
            _ => return Err(format!("{number}: the request has no `=> STATUS`")),
        };
        if let Some(status) = line.strip_prefix("=> ") {
            return Ok((body, status.trim().to_owned()));
        }
        let Some(head) = line.strip_prefix("each ") else {
            body.push(BodyLine::Text(line.to_owned()));
            continue;
        };
        let (name, from, to) = range(head).ok_or_else(|| format!("{number}: [{line}] is not `each NAME in A..B`"))?;
        let mut repeated = Vec::new();
        while let Some((_, line)) = lines.next_if(|(_, line)| line.starts_with("  ")) {
            repeated.push(line.trim().to_owned());
        }
        body.push(BodyLine::Each { name, from, to, lines: repeated });
    }
}

fn range(text: &str) -> Option<(String, i64, i64)> {
    let (name, range) = text.split_once(" in ")?;
    let (from, to) = range.split_once("..")?;
    Some((name.to_owned(), from.parse().ok()?, to.parse().ok()?))
}

fn is_header(line: &str) -> bool {
    let name = line.split_once(": ").map_or("", |(name, _)| name);
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}
