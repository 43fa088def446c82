# Results of categories and images that the dataset does not have: errors that say which it has.


rule unknown_category:
    input:
        no_such_category,
    output:
        "results/{stage}/{unknown}",
    wildcard_constraints:
        stage="|".join(sorted(STAGES)),
        unknown=f"(?!(?:(?:{CATEGORY_PATTERN})(?:_cameras|_images)?|summary|pck)[./]).+",


rule unknown_image:
    input:
        no_such_image,
    output:
        "results/{unknown_image}",
    wildcard_constraints:
        unknown_image=rf"(?!(?:{known_images()})\.h5$)"
        rf"(?:{'|'.join(sorted(STAGE_IMAGES))})/(?:{CATEGORY_PATTERN})/[^/]+\.h5",
