"""What can the disk of a store do, what stands beside it, and what will the tracker do because of it?"""
