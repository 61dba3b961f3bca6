"""Search, near-duplicates, clusters and maps of images, all by their feature vectors.

* :mod:`~zoo.search.searcher`: nearest neighbours of query images; :mod:`~zoo.search.exact` compares every vector,
  :mod:`~zoo.search.approximate` uses an HNSW index, :mod:`~zoo.search.stored_vectors` looks vectors up by path.
* :mod:`~zoo.search.near_duplicates`: groups of near-duplicate images.
* :mod:`~zoo.search.clusters`: k-means.
* :mod:`~zoo.search.map`: an interactive page with a 2-D embedding (UMAP, t-SNE, PCA).
* :mod:`~zoo.search.contact_sheets`: results as PNG images.

Shared: :mod:`~zoo.search.metric`, :mod:`~zoo.search.pca`, :mod:`~zoo.search.sample`, :mod:`~zoo.search.threads`.
"""
