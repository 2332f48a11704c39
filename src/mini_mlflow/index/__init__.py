"""What is known of the store's runs without reading them? An index that lies in the user's cache and is only a hint."""
