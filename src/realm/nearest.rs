//! What somebody may have meant.

/// The known name that is most like `name`, if one is like it at all.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const LIKE: f64 = 0.75;
    let rated = known.map(|known| (strsim::jaro_winkler(&name.to_lowercase(), known), known));
    rated.filter(|(rate, _)| *rate >= LIKE).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_told_only_if_it_is_near() {
        let known = ["nodes", "name", "hosts", "embedded"];
        assert_eq!(nearest("nodez", known.into_iter()), Some("nodes"));
        assert_eq!(nearest("Hosts", known.into_iter()), Some("hosts"));
        assert_eq!(nearest("embeded", known.into_iter()), Some("embedded"));
        assert_eq!(nearest("zzz", known.into_iter()), None);
    }
}
