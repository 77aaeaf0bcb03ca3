use crate::node::ml::routes;

#[test]
fn every_route_is_in_the_page_of_the_embedded_node() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/embedded-node.md")).unwrap();
    for route in routes() {
        let listed = [format!("`{} {}`", route.method, route.template), format!("`GET {}`", route.template)];
        assert!(listed.iter().any(|line| page.contains(line)), "{} {}", route.method, route.template);
    }
}
