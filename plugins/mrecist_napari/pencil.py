"""What follows the mouse while one draws by hand: the circle of the brush, the way of a stroke, an outline.

It is drawn by Qt over the canvas: a picture of napari's need not be drawn again for every move of the mouse, and the circle has any
size. Positions are millimetres of the pane (y, x), so that they stay where they are when the picture is moved.
"""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QColor, QPainter, QPainterPath, QPen
from qtpy.QtOpenGLWidgets import QOpenGLWidget
from qtpy.QtWidgets import QMainWindow, QWidget

Point = tuple[float, float]
_SEE_THROUGH = 110  # of 255


class Pencil(QWidget):
    """A sheet over the canvas of the current visit; the mouse does not feel it.

    Parameters
    ----------
    main : napari's window.
    camera : of the viewer.
    """

    def __init__(self, main: QMainWindow, camera: Any) -> None:
        canvas = main.centralWidget().findChild(QOpenGLWidget)
        super().__init__(canvas)
        self._camera = camera
        self._circle: tuple[Point, float, str] | None = None
        self._way: tuple[list[Point], float, str] | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.resize(canvas.size())
        canvas.installEventFilter(self)
        camera.events.connect(lambda _event: self.update())
        self.show()

    @property
    def circle(self) -> tuple[Point, float, str] | None:
        """Where the circle is (mm), its diameter (mm) and colour; None without one."""
        return self._circle

    def show_circle(self, at: Point, mm: float, colour: str) -> None:
        """The brush is here."""
        self._circle = (at, mm, colour)
        self.update()

    def show_way(self, points: list[Point], mm: float, colour: str) -> None:
        """The way so far; ``mm`` its width, 0 for an outline."""
        self._way = (points, mm, colour)
        self.update()

    def clear_way(self) -> None:
        """The stroke is done."""
        self._way = None
        self.update()

    def clear(self) -> None:
        """Nothing follows the mouse."""
        self._circle = self._way = None
        self.update()

    def eventFilter(self, watched: Any, event: Any) -> bool:  # noqa: N802 - Qt's name
        """As large as the canvas; without the mouse there is no circle."""
        if event.type() == QEvent.Type.Resize:
            self.resize(watched.size())
        elif event.type() == QEvent.Type.Leave and self._circle is not None:
            self._circle = None
            self.update()
        return False

    def paintEvent(self, _event: Any) -> None:  # noqa: N802 - Qt's name
        """The way below the circle."""
        if self._circle is None and self._way is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._way is not None:
            self._paint_way(painter, *self._way)
        if self._circle is not None:
            at, mm, colour = self._circle
            painter.setBrush(Qt.BrushStyle.NoBrush)
            radius = max(mm / 2 * self._camera.zoom, 2.0)
            for width, ink in ((4.0, "#80000000"), (2.0, colour)):
                painter.setPen(QPen(QColor(ink), width))
                painter.drawEllipse(self._screen(at), radius, radius)
        painter.end()

    def _paint_way(self, painter: QPainter, points: list[Point], mm: float, colour: str) -> None:
        path = QPainterPath(self._screen(points[0]))
        for point in points[1:]:
            path.lineTo(self._screen(point))
        ink = QColor(colour)
        width = 2.0
        if mm:
            ink.setAlpha(_SEE_THROUGH)
            width = mm * self._camera.zoom
            if len(points) == 1:
                path.lineTo(self._screen(points[0]) + QPointF(0.01, 0))
        pen = QPen(ink, width)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.strokePath(path, pen)
        if not mm and len(points) > 2:  # how the outline will be closed
            painter.setPen(QPen(ink, 1.0, Qt.PenStyle.DashLine))
            painter.drawLine(self._screen(points[-1]), self._screen(points[0]))

    def _screen(self, at: Point) -> QPointF:
        _, y, x = self._camera.center
        zoom = self._camera.zoom
        return QPointF(self.width() / 2 + (at[1] - x) * zoom, self.height() / 2 + (at[0] - y) * zoom)
