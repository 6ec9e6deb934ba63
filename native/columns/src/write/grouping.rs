//! Rows by the row that they belong to: items by their scope, scopes by their resource, points by their metric.

/// The rows of a table, grouped by the row of another table that they belong to. Groups stand in the order of that other table,
/// and the rows of one keep their order.
///
/// Rows that are in this order already, as those of decoded tables are, stay where they are. All others are ordered by
/// counting: one pass, four bytes a row.
#[derive(Debug)]
pub(super) struct Grouping {
    /// Where each group begins, and where the last one ends.
    starts: Vec<u32>,
    /// The rows in their new order, where it is not their own.
    order: Option<Vec<u32>>,
}

impl Grouping {
    /// Groups `rows` rows by the numbers in `parents`, all below `groups`; where there are none, all belong to the first.
    pub(super) fn new(parents: &[u32], rows: usize, groups: usize) -> Self {
        let mut starts = vec![0; groups + 1];
        if parents.is_empty() {
            starts[1..].fill(rows as u32);
            return Self { starts, order: None };
        }
        for &parent in parents {
            starts[parent as usize + 1] += 1;
        }
        for group in 0..groups {
            starts[group + 1] += starts[group];
        }
        let order = (!parents.is_sorted()).then(|| {
            let mut next = starts.clone();
            let mut order = vec![0; rows];
            for (row, &parent) in parents.iter().enumerate() {
                let place = &mut next[parent as usize];
                order[*place as usize] = row as u32;
                *place += 1;
            }
            order
        });
        Self { starts, order }
    }

    /// How many rows a group has.
    pub(super) fn len(&self, group: usize) -> usize {
        (self.starts[group + 1] - self.starts[group]) as usize
    }

    /// The rows of a group.
    pub(super) fn rows(&self, group: usize) -> impl Iterator<Item = usize> {
        let places = self.starts[group] as usize..self.starts[group + 1] as usize;
        places.map(|place| self.order.as_ref().map_or(place, |order| order[place] as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rows_of_a_group_are_those_that_name_it(parents in proptest::collection::vec(0u32..6, 0..40), sorted: bool) {
            let mut parents = parents;
            if sorted {
                parents.sort_unstable();
            }
            let grouping = Grouping::new(&parents, parents.len(), 6);
            for group in 0..6usize {
                let expected: Vec<usize> = (0..parents.len()).filter(|&row| parents[row] as usize == group).collect();
                prop_assert_eq!(grouping.len(group), expected.len());
                prop_assert_eq!(grouping.rows(group).collect::<Vec<_>>(), expected);
            }
            prop_assert_eq!(grouping.order.is_none(), parents.is_sorted());
        }
    }

    #[test]
    fn rows_that_name_no_group_belong_to_the_first() {
        let grouping = Grouping::new(&[], 3, 2);
        assert_eq!(grouping.rows(0).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!((grouping.len(0), grouping.len(1), grouping.rows(1).count()), (3, 0, 0));
        assert_eq!(Grouping::new(&[], 0, 0).starts, [0]);
    }
}
