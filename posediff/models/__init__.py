"""Networks that assess movements: encoders, segmentation, fusion, regression heads, and the models made of them."""
