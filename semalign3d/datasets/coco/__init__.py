"""Any COCO-keypoint file with a folder of photos (METHOD.md 1.2)."""
