package io.xfuser.hub;

/** Is told how far a download is, on the thread that asked for the model. */
@FunctionalInterface
public interface DownloadListener {
  /** Hears nothing. */
  DownloadListener NONE = progress -> {};

  /** Called when a file begins, several times a second while it arrives, and when it is there. */
  void advanced(Progress progress);

  /** Logs a line when a file begins. */
  static DownloadListener logging() {
    return new LoggedDownloads();
  }

  /**
   * How much of a file is here.
   *
   * @param file its name in the repository
   * @param received bytes, those that an earlier attempt had received included
   * @param size bytes of the whole file
   * @param first whether it is the first call for this file
   */
  record Progress(String file, long received, long size, boolean first) {
    /** Whether all of the file is here. */
    public boolean complete() {
      return received >= size;
    }
  }
}
