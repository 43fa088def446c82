# Results of categories and images that the dataset does not have: errors that name what it has.
# Included after the rules that make results, since it follows from their outputs.

import re

UNKNOWN = UnknownTargets(
    DATA.root,
    IMAGES,
    [str(path) for each in workflow.rules for path in each.output],
    BATCHES.stems(),
)


rule unknown_category:
    input:
        UNKNOWN.category,
    output:
        "results/{stage}/{unknown}",
    wildcard_constraints:
        stage=UNKNOWN.stages,
        unknown=rf"(?!(?:{IMAGES.category_pattern})(?:/|\.(?:h5|csv|json)$)"
        rf"|(?:{'|'.join(map(re.escape, SHARED_FILES))})$).+",


rule unknown_image:
    input:
        UNKNOWN.image,
    output:
        "results/{unknown_image}",
    wildcard_constraints:
        unknown_image=rf"(?!(?:{UNKNOWN.known_images()})\.h5$)"
        rf"(?:{UNKNOWN.image_stages})/(?:{IMAGES.category_pattern})/[^/]+\.h5",
