//! The product tree: every product with what stands above it, by its id.

use std::collections::HashMap;

use super::Unread;
use super::shape::{Branch, FullName, Group, Helper, List, Name, Related, Tree};
use super::tolerance::{Kind, Tolerances};
use crate::advisory::{Product, ProductIndex, Relationship, Release};

/// Branches above one another: the corpus has three, the vendors' own documents up to six.
const BRANCHES_DEEP_MAX: usize = 32;
/// Products of one document. A million is no product list but an attack, or a mistake.
pub const PRODUCTS_MAX: usize = 100_000;
/// Words that make a range of a `product_version` (CSAF 2.0, 6.1.31).
const RANGE_WORDS: [&str; 9] = ["<", ">", "after", "all", "before", "earlier", "later", "prior", "versions"];
/// What `product_version_range` is to begin with (CSAF 2.0, 3.1.2.2).
const RANGE_SYNTAXES: [&str; 2] = ["vers:", "vls:"];

/// The products of a document, and its groups of them, by id.
#[derive(Default)]
pub struct Products<'a> {
    /// In the order of the document: the branches', the products outside them, the relationships'.
    pub list: Vec<Product>,
    by_id: HashMap<&'a str, ProductIndex>,
    groups: HashMap<&'a str, Vec<ProductIndex>>,
}

/// What stands above a product.
#[derive(Clone, Default)]
struct Above<'a> {
    vendor: Option<&'a str>,
    family: Option<&'a str>,
    name: Option<&'a str>,
    /// With the category's name.
    release: Option<(&'a str, &'a str)>,
    qualifiers: Vec<(&'a str, &'a str)>,
}

/// Where in the tree we are; the pointer is only written where somebody asks.
struct Walk<'a, 't> {
    products: Products<'a>,
    tolerances: &'t mut Tolerances,
    path: Vec<usize>,
}

impl<'a> Products<'a> {
    /// All of a tree.
    ///
    /// # Errors
    /// Two products have one id, a relationship leads back to itself, or there is more than a cap allows.
    pub fn of(tree: &'a Tree<'a>, tolerances: &mut Tolerances) -> Result<Self, Unread> {
        let mut walk = Walk { products: Self::default(), tolerances, path: Vec::new() };
        walk.branches(tree.branches.as_ref(), &Above::default())?;
        let mut products = walk.products;
        for (at, full) in listed(tree.full_product_names.as_ref()).iter().enumerate() {
            let path = || format!("/product_tree/full_product_names/{at}");
            tolerances.add(Kind::OutsideBranches, path);
            let mut product = named(full, tolerances, path);
            // Not every release of it: whatever release the name tells.
            (product.name, product.release) = (product.full_name.clone(), Release::Version(product.full_name.clone()));
            products.push(full, product, tolerances, path)?;
        }
        let related = listed(tree.relationships.as_ref());
        products.relate(related, tolerances)?;
        products.group(listed(tree.product_groups.as_ref()), tolerances)?;
        Ok(products)
    }

    /// The product with this id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<ProductIndex> {
        self.by_id.get(id).copied()
    }

    /// The products of a group.
    #[must_use]
    pub fn members(&self, group: &str) -> Option<&[ProductIndex]> {
        self.groups.get(group).map(Vec::as_slice)
    }

    fn push(
        &mut self,
        full: &'a FullName<'a>,
        product: Product,
        tolerances: &mut Tolerances,
        path: impl Fn() -> String,
    ) -> Result<(), Unread> {
        if let Some(before) = self.find(&full.product_id.0) {
            if self.list.get(before as usize) == Some(&product) {
                tolerances.add(Kind::SameProductTwice, path);
                return Ok(());
            }
            return Err(Unread::at(path(), format!("two different products have the id {:?}", full.product_id.0)));
        }
        if self.list.len() >= PRODUCTS_MAX {
            return Err(Unread::at(path(), format!("more than {PRODUCTS_MAX} products")));
        }
        self.by_id.insert(&full.product_id.0, self.list.len() as ProductIndex);
        self.list.push(product);
        Ok(())
    }

    /// The products of the relationships, in any order: one may be made of another.
    fn relate(&mut self, related: &'a [Related<'a>], tolerances: &mut Tolerances) -> Result<(), Unread> {
        let path = |at: usize| format!("/product_tree/relationships/{at}");
        let own: HashMap<&str, usize> =
            related.iter().enumerate().map(|(at, related)| (&*related.full_product_name.product_id.0, at)).collect();
        // Depth first, with our own stack: what a product is made of comes before it.
        let mut state = vec![Visit::Not; related.len()];
        for first in 0..related.len() {
            let mut stack = vec![first];
            while let Some(&at) = stack.last() {
                let Some(one) = related.get(at) else { break };
                let parts = [&one.product_reference, &one.relates_to_product_reference];
                let waits = parts.iter().filter(|id| self.find(&id.0).is_none()).filter_map(|id| own.get(&*id.0).copied());
                let next = waits.into_iter().find(|part| state.get(*part) != Some(&Visit::Done));
                match (state.get(at).copied(), next) {
                    (Some(Visit::Done), _) => drop(stack.pop()),
                    (_, Some(part)) if state.get(part) == Some(&Visit::Open) || part == at => {
                        return Err(Unread::at(path(part), "a product is made of itself".to_owned()));
                    }
                    (_, Some(part)) => {
                        state[at] = Visit::Open;
                        stack.push(part);
                    }
                    (_, None) => {
                        self.join(one, tolerances, || path(at))?;
                        state[at] = Visit::Done;
                        stack.pop();
                    }
                }
            }
        }
        Ok(())
    }

    /// A relationship's product: its component, narrowed to the platform.
    fn join(&mut self, related: &'a Related<'a>, tolerances: &mut Tolerances, path: impl Fn() -> String) -> Result<(), Unread> {
        let found = (self.find(&related.product_reference.0), self.find(&related.relates_to_product_reference.0));
        let (Some(component), Some(platform)) = found else {
            tolerances.add(Kind::RelationshipToNothing, path);
            return Ok(());
        };
        let of = self.list.get(component as usize).cloned().unwrap_or_default();
        let own = named(&related.full_product_name, tolerances, || path() + "/full_product_name");
        let category = related.category.0.to_string();
        let product = Product {
            id: own.id,
            full_name: own.full_name,
            model_numbers: or(own.model_numbers, of.model_numbers),
            skus: or(own.skus, of.skus),
            serial_numbers: or(own.serial_numbers, of.serial_numbers),
            cpe: own.cpe.or(of.cpe),
            purl: own.purl.or(of.purl),
            relationship: Some(Relationship { category, component, platform }),
            ..of
        };
        self.push(&related.full_product_name, product, tolerances, path)
    }

    fn group(&mut self, groups: &'a [Group<'a>], tolerances: &mut Tolerances) -> Result<(), Unread> {
        for (at, group) in groups.iter().enumerate() {
            let path = format!("/product_tree/product_groups/{at}");
            let mut members = Vec::new();
            for (nth, id) in group.product_ids.0.iter().enumerate() {
                match self.find(&id.0) {
                    Some(product) => members.push(product),
                    None => tolerances.add(Kind::UnknownProduct, || format!("{path}/product_ids/{nth}")),
                }
            }
            if self.groups.insert(&group.group_id.0, members).is_some() {
                return Err(Unread::at(path, format!("two groups have the id {:?}", group.group_id.0)));
            }
        }
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Visit {
    Not,
    Open,
    Done,
}

impl<'a> Walk<'a, '_> {
    fn branches(&mut self, branches: Option<&'a List<Branch<'a>>>, above: &Above<'a>) -> Result<(), Unread> {
        for (at, branch) in listed(branches).iter().enumerate() {
            self.path.push(at);
            if self.path.len() > BRANCHES_DEEP_MAX {
                return Err(Unread::at(pointer(&self.path), format!("branches more than {BRANCHES_DEEP_MAX} deep")));
            }
            self.branch(branch, above.clone())?;
            self.path.pop();
        }
        Ok(())
    }

    fn branch(&mut self, branch: &'a Branch<'a>, mut above: Above<'a>) -> Result<(), Unread> {
        self.take(branch, &mut above);
        let further = branch.branches.as_ref().filter(|branches| !branches.0.is_empty());
        match (&branch.product, further) {
            (None, None) => self.tolerate(Kind::BranchEnds),
            (Some(_), Some(_)) => self.tolerate(Kind::BranchWithBoth),
            _ => {}
        }
        if let Some(full) = &branch.product {
            self.leaf(full, &above)?;
        }
        self.branches(further, &above)
    }

    /// What a branch says of the products below it.
    fn take(&mut self, branch: &'a Branch<'a>, above: &mut Above<'a>) {
        let (category, name) = (&*branch.category.0, &*branch.name.0);
        let outer = match category {
            "vendor" => above.vendor.replace(name).map(|outer| (category, outer)),
            "product_family" => above.family.replace(name).map(|outer| (category, outer)),
            "product_name" => above.name.replace(name).map(|outer| (category, outer)),
            "product_version" | "product_version_range" => {
                self.check_release(category, name);
                above.release.replace((category, name))
            }
            _ => {
                let known = ["architecture", "host_name", "language", "legacy", "patch_level", "service_pack", "specification"];
                self.tolerate(if known.contains(&category) { Kind::OtherCategory } else { Kind::UnknownCategory });
                above.qualifiers.push((category, name));
                None
            }
        };
        if let Some(outer) = outer {
            self.tolerate(Kind::CategoryTwice);
            above.qualifiers.push(outer);
        }
    }

    fn check_release(&mut self, category: &str, name: &str) {
        if category == "product_version" {
            let lower = name.to_ascii_lowercase();
            let mut words = lower.split(|c: char| !c.is_ascii_alphabetic() && c != '<' && c != '>').flat_map(|word| word.split('='));
            if lower.contains(['<', '>']) || words.any(|word| RANGE_WORDS.contains(&word)) {
                self.tolerate(Kind::RangeAsVersion);
            }
        } else if !RANGE_SYNTAXES.iter().any(|syntax| name.starts_with(syntax)) {
            self.tolerate(Kind::RangeNotVers);
        }
    }

    fn leaf(&mut self, full: &'a FullName<'a>, above: &Above<'a>) -> Result<(), Unread> {
        if above.vendor.is_none() {
            self.tolerate(Kind::NoVendor);
        }
        if above.name.is_none() {
            self.tolerate(Kind::NoProductName);
        }
        let Self { products, tolerances, path } = self;
        let product = named(full, tolerances, || pointer(path) + "/product");
        let mut text = |text: &str| tolerances.text(text, || pointer(path));
        let product = Product {
            vendor: text(above.vendor.unwrap_or_default()),
            family: above.family.map(&mut text),
            name: above.name.map_or_else(|| product.full_name.clone(), &mut text),
            release: match above.release {
                None => Release::Every,
                Some(("product_version", version)) => Release::Version(text(version)),
                Some((_, range)) => Release::Range(text(range)),
            },
            qualifiers: above.qualifiers.iter().map(|(category, name)| ((*category).to_owned(), text(name))).collect(),
            ..product
        };
        products.push(full, product, tolerances, || pointer(path) + "/product")
    }

    fn tolerate(&mut self, kind: Kind) {
        let path = &self.path;
        self.tolerances.add(kind, || pointer(path));
    }
}

fn pointer(path: &[usize]) -> String {
    path.iter().fold("/product_tree".to_owned(), |pointer, at| format!("{pointer}/branches/{at}"))
}

/// A product by its full name alone.
fn named(full: &FullName<'_>, tolerances: &mut Tolerances, path: impl Fn() -> String) -> Product {
    let none = Helper::default();
    let helper = full.product_identification_helper.as_ref().unwrap_or(&none);
    if helper.hashes.is_some() || helper.sbom_urls.is_some() || helper.x_generic_uris.is_some() {
        tolerances.add(Kind::HelperNotRead, || path() + "/product_identification_helper");
    }
    let texts = |list: &Option<List<Name<'_>>>| listed(list.as_ref()).iter().map(|text| text.0.to_string()).collect();
    Product {
        id: full.product_id.0.to_string(),
        full_name: tolerances.text(&full.name.0, || path() + "/name"),
        model_numbers: texts(&helper.model_numbers),
        skus: texts(&helper.skus),
        serial_numbers: texts(&helper.serial_numbers),
        cpe: helper.cpe.as_ref().map(|cpe| cpe.0.to_string()),
        purl: helper.purl.as_ref().map(|purl| purl.0.to_string()),
        ..Product::default()
    }
}

fn or(own: Vec<String>, else_of: Vec<String>) -> Vec<String> {
    if own.is_empty() { else_of } else { own }
}

/// What stands in a list that may be missing.
pub fn listed<T>(list: Option<&List<T>>) -> &[T] {
    list.map(|list| list.0.as_slice()).unwrap_or_default()
}
