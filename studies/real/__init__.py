"""How well the pipeline does on real photos: any prepared COCO category, end to end."""
